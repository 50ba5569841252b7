import type { Stack } from '@edgeloop/cli';
import {
  AskNodes,
  CampaignClosed,
  CampaignStarted,
  DatasetSnapshotted,
  NodeDrifted,
  PackageBuilt,
  ReleasePublished,
  RolloutEnded,
  RolloutHalted,
  RolloutStarted,
  RolloutWaveCompleted,
  RolloutWaveStarted,
  RunCompleted,
  RunJudged,
  RunStarted,
  RunStepStarted,
} from '@edgeloop/contracts';
import type { EventContract, PayloadOf } from '@edgeloop/contracts';
import { hexOf, readVerified } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';
import type { Killed } from '../chaos/chaos.ts';
import type { Arrow } from '../narration/story.ts';
import type { TurnLog } from '../narration/turn-log.ts';
import { FieldScore } from '../score/field-score.ts';
import { judgeLedger, readLedger } from '../score/ledger.ts';
import { countRedeliveries } from '../score/redeliveries.ts';
import { judgeReleases } from '../score/releases.ts';
import { judgeTurn } from '../score/report.ts';
import type { RoundReport, SampleReport, ScoredRelease, TurnReport } from '../score/report.ts';
import type { World } from '../world/world.ts';
import { releaseAfter } from './turn.ts';
import type { Round } from './turn.ts';

export interface ReportParts {
  readonly stack: Stack;
  readonly store: ObjectStore;
  readonly log: TurnLog;
  readonly world: World;
  readonly rounds: readonly Round[];
  readonly setupSeconds: number;
  /** When the turn began, right after set-up. */
  readonly startedAtMs: number;
  readonly seed: number;
  readonly killed: readonly Killed[] | null;
  readonly onScored: (done: number, total: number) => void;
}

export interface Scored {
  readonly report: TurnReport;
  readonly pictures: { readonly before: Uint8Array; readonly after: Uint8Array };
}

const ASK_TIMEOUT_MS = 10_000;

/** Each arrow of the loop but the first two: from which event to which, in the last round. */
const SPANS: readonly { readonly arrow: Arrow; readonly from: EventContract; readonly to: EventContract }[] = [
  { arrow: 'label', from: CampaignClosed, to: DatasetSnapshotted },
  { arrow: 'train', from: RunStarted, to: RunCompleted },
  { arrow: 'package', from: RunCompleted, to: PackageBuilt },
  { arrow: 'publish', from: PackageBuilt, to: ReleasePublished },
  { arrow: 'roll out', from: RolloutStarted, to: RolloutEnded },
];

/** Watching takes from the change of light until evidence says that a node left its baseline. */
function watchSeconds(log: TurnLog, { lightChangedAtMs }: Round): Record<string, number> {
  const drifted = log.firstTimeOf(NodeDrifted, lightChangedAtMs);
  return drifted === undefined ? {} : { watch: (drifted - lightChangedAtMs) / 1000 };
}

/** A campaign is announced again with every node that joins; it began with its first announcement. */
function collectSeconds(log: TurnLog): Record<string, number> {
  const closed = log.timed(CampaignClosed).at(-1);
  const began = log.timed(CampaignStarted).find(({ payload }) => payload.campaignId === closed?.payload.campaignId);
  return closed && began ? { collect: (closed.atMs - began.atMs) / 1000 } : {};
}

function secondsPerArrow(log: TurnLog, last: Round): Record<string, number> {
  const spans: Record<string, number> = { ...watchSeconds(log, last), ...collectSeconds(log) };
  for (const { arrow, from, to } of SPANS) {
    const [began, ended] = [log.lastTimeOf(from), log.lastTimeOf(to)];
    if (began !== undefined && ended !== undefined && ended >= began) spans[arrow] = (ended - began) / 1000;
  }
  return spans;
}

const TRAIN_STEP = 'train';

/** Also of a run that the gate refused: from the beginning of its training to what it did next. */
function trainSecondsOf(log: TurnLog, { run, rolledOut }: Round): number {
  if (rolledOut) return rolledOut.completed.trainSeconds;
  const steps = log.timed(RunStepStarted).filter(({ payload }) => payload.runId === run.runId);
  const began = steps.findIndex(({ payload }) => payload.step === TRAIN_STEP);
  const [from, to] = [steps[began]?.atMs, steps[began + 1]?.atMs];
  return began < 0 || from === undefined || to === undefined ? 0 : (to - from) / 1000;
}

function gateOf(log: TurnLog, { run }: Round): RoundReport['gate'] {
  return log.all(RunJudged).findLast(({ runId }) => runId === run.runId)?.gate ?? null;
}

function rolloutReport(log: TurnLog, rolloutId: string | undefined): RoundReport['rollout'] {
  const started = log.all(RolloutWaveStarted).filter((wave) => wave.rolloutId === rolloutId);
  const completed = log.all(RolloutWaveCompleted).filter((wave) => wave.rolloutId === rolloutId);
  const waves = started.map(({ wave, nodeIds }) => {
    const end = completed.find((each) => each.wave === wave);
    return { nodes: nodeIds, running: end?.running ?? 0, failed: end?.failed ?? 0 };
  });
  return { waves, halted: log.all(RolloutHalted).some((halt) => halt.rolloutId === rolloutId) };
}

async function sampleReport(parts: ReportParts): Promise<{ samples: SampleReport; collected: Set<string> }> {
  const { stack, store, log } = parts;
  const newest = log.all(DatasetSnapshotted).at(-1);
  const snapshotAt = log.lastTimeOf(DatasetSnapshotted) ?? 0;
  const { ledger, labeledBefore } = await readLedger({ bus: stack.bus, store, newest, snapshotAt });
  const { lost, doubled } = judgeLedger(ledger, labeledBefore);
  const redelivered = await countRedeliveries(stack.bus);
  const collected = new Set([...ledger.accepted.keys()].map((sample) => sample.split('/')[1] ?? ''));
  return { samples: { accepted: ledger.accepted.size, lost, doubled, redelivered, quarantined: ledger.quarantined.size }, collected };
}

async function scoreReleases(parts: ReportParts, score: FieldScore): Promise<Map<string, ScoredRelease>> {
  const releases = new Map<string, PayloadOf<typeof ReleasePublished>>(
    parts.rounds.flatMap((round) => [round.before, releaseAfter(round)]).map((release) => [release.releaseId, release]),
  );
  const scored = new Map<string, ScoredRelease>();
  for (const release of releases.values()) {
    const { day, night } = await score.of(await readVerified(parts.store, release.model));
    scored.set(release.releaseId, { version: release.version, digest: hexOf(release.modelDigest), day, night });
    parts.onScored(scored.size, releases.size);
  }
  return scored;
}

/** Scores every release on frames that were never collected, and reads the streams for what became of every sample. */
export async function buildReport(parts: ReportParts): Promise<Scored> {
  const { stack, store, log, world, rounds } = parts;
  const { samples, collected } = await sampleReport(parts);
  const releases = judgeReleases(log.all(RunCompleted), log.all(ReleasePublished));
  const score = await FieldScore.prepare(world, collected);
  const scored = await scoreReleases(parts, score);
  const of = (releaseId: string): ScoredRelease => scored.get(releaseId) as ScoredRelease;
  const [first, last] = [rounds[0] as Round, rounds.at(-1) as Round];
  const { nodes } = await stack.bus.ask(AskNodes, {}, { timeoutMs: ASK_TIMEOUT_MS });
  const report: TurnReport = {
    rounds: rounds.map((round) => ({
      trigger: round.run.trigger.reason,
      labels: round.run.newLabels,
      trainSeconds: trainSecondsOf(log, round),
      incumbent: of(round.before.releaseId),
      candidate: round.rolledOut && of(round.rolledOut.release.releaseId),
      gate: gateOf(log, round),
      rollout: rolloutReport(log, round.rolledOut?.rollout.rolloutId),
    })),
    samples,
    releases,
    nodes: nodes.map((node) => ({ id: node.nodeId, running: node.running?.releaseId ?? null, frames: node.framesTotal })),
    seconds: {
      setup: parts.setupSeconds,
      total: parts.setupSeconds + (Date.now() - parts.startedAtMs) / 1000,
      perArrow: secondsPerArrow(log, last),
    },
    frames: score.frames,
    seed: parts.seed,
    better: judgeTurn(of(first.before.releaseId), of(releaseAfter(last).releaseId), { samples, releases, chaos: parts.killed !== null }),
    chaos: parts.killed && { killed: parts.killed },
  };
  const named = async (release: PayloadOf<typeof ReleasePublished>) => ({
    title: `${release.releaseId} at night`,
    bytes: await readVerified(store, release.model),
  });
  return { report, pictures: await score.picturePair(await named(first.before), await named(releaseAfter(last))) };
}

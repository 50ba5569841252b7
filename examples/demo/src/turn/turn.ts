import { importDataset } from '@edgeloop/cli';
import type { ImportedDataset, Stack } from '@edgeloop/cli';
import {
  AskCampaigns,
  AskDatasets,
  AskField,
  AskImportDataset,
  AskInvite,
  AskNodes,
  AskStartRun,
  CampaignStarted,
  DatasetSnapshotted,
  NodeDrifted,
  RunStarted,
} from '@edgeloop/contracts';
import { BASE_CAMPAIGN } from '@edgeloop/contracts';
import type { PayloadOf } from '@edgeloop/contracts';
import { RUNS_BUCKET, contentKey, digestOf } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';
import type { Chaos } from '../chaos/chaos.ts';
import type { Screen } from '../narration/screen.ts';
import type { TurnLog } from '../narration/turn-log.ts';
import type { Scenario } from '../scenario.ts';
import type { CameraServer } from '../world/camera-server.ts';
import { DAY, NIGHT } from '../world/world.ts';
import { askPatiently, pollUntil } from './poll.ts';
import { stoppedBy, untilRolledOut, untilRunEnds } from './run-to-release.ts';
import type { Release, RolledOut } from './run-to-release.ts';
import { BASELINE_WINDOWS, nodeSettings } from './service-settings.ts';

export interface TurnParts {
  readonly stack: Stack;
  readonly store: ObjectStore;
  readonly scenario: Scenario;
  readonly cameras: CameraServer;
  readonly log: TurnLog;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  readonly nodes: number;
  readonly fps: number;
  readonly chaos: Chaos | null;
}

/** What one round of the loop did, for the scorecard. */
export interface Round {
  readonly run: PayloadOf<typeof RunStarted>;
  readonly before: Release;
  /** Null: the gate refused the candidate, and the release of before runs on. */
  readonly rolledOut: RolledOut | null;
  readonly lightChangedAtMs: number;
}

export const releaseAfter = ({ before, rolledOut }: Round): Release => rolledOut?.release ?? before;

const MINUTE_MS = 60_000;
const LIMITS = {
  running: 5 * MINUTE_MS,
  baseline: 4 * MINUTE_MS,
  drift: 4 * MINUTE_MS,
  campaign: 7 * MINUTE_MS,
  labels: 6 * MINUTE_MS,
  ask: MINUTE_MS,
  import: 3 * MINUTE_MS,
} as const;
/** A window or two more than the baseline takes: the one that the change of light falls into must not be part of it. */
const WINDOWS_WATCHED = BASELINE_WINDOWS + 2;

/** A campaign that nodes join is announced again, with a newer policy. */
const announcementOf = ({ campaignId, policy }: PayloadOf<typeof CampaignStarted>): string => `${campaignId}@${policy.version}`;

export const nodeName = (camera: number): string => `cam-${camera + 1}`;

/** Steps of the demo's script. It only sets the scene and watches: what the loop does, it does by itself. */
export class Turn {
  readonly #parts: TurnParts;

  constructor(parts: TurnParts) {
    this.#parts = parts;
  }

  async importDataset(): Promise<ImportedDataset> {
    const { stack, store, scenario, screen, signal } = this.#parts;
    const wait = { what: 'the labeling bridge to take the dataset', limitMs: LIMITS.import, signal };
    const imported = await importDataset(
      {
        store,
        ask: (question) => askPatiently(wait, () => stack.bus.ask(AskImportDataset, question, { timeoutMs: LIMITS.ask })),
        onUploaded: (done, total) => screen.progress({ arrow: 'label', label: 'labelled photos', done, total, note: '' }),
      },
      { ...scenario.dataset, slice: 'day', reason: 'what was labelled before the first turn' },
    );
    screen.endProgress();
    return imported;
  }

  async startNodes(): Promise<void> {
    const { stack, cameras, nodes, fps, signal } = this.#parts;
    await Promise.all(
      Array.from({ length: nodes }, async (_, camera) => {
        const nodeId = nodeName(camera);
        const wait = { what: `a join token for ${nodeId}`, limitMs: LIMITS.ask, signal };
        const { joinToken } = await askPatiently(wait, () => stack.bus.ask(AskInvite, { nodeId }));
        await stack.startNode({ nodeId, joinToken, source: cameras.snapshotUrl(camera), environment: nodeSettings(fps) });
      }),
    );
  }

  /** Brings the first model into the fleet: by importing it, or by training it on the dataset. */
  async firstRelease(imported: ImportedDataset): Promise<Release> {
    const { stack, store, scenario } = this.#parts;
    const { base } = scenario;
    const goldenPictures = imported.pictures.slice(0, 4);
    const model = base && (await store.put({ bucket: RUNS_BUCKET, key: contentKey('imported', digestOf(base.bytes), 'onnx') }, base.bytes));
    const question =
      base && model
        ? { kind: 'import' as const, model, card: base.card, goldenPictures: [...goldenPictures], reason: 'the first model, brought along' }
        : { kind: 'train' as const, datasetId: imported.datasetId, reason: 'there is no model yet' };
    // Asked again even where it is refused: the trainer may not have heard of the dataset yet.
    const { runId } = await pollUntil(
      { what: 'the trainer to take the first model', limitMs: LIMITS.ask, signal: this.#parts.signal },
      () => stack.bus.ask(AskStartRun, question),
    );
    const ended = await untilRunEnds(this.#parts, runId);
    if ('reason' in ended) throw stoppedBy(ended);
    return (await untilRolledOut(this.#parts, ended)).release;
  }

  /** The cameras look around until evidence knows what is normal for each of them. */
  async watchBaseline(releaseId: string): Promise<void> {
    const { stack, screen, nodes, signal } = this.#parts;
    await pollUntil({ what: `a baseline of ${releaseId} on every node`, limitMs: LIMITS.baseline, signal }, async () => {
      const { nodes: fields } = await stack.bus.ask(AskField, {});
      const windows = fields
        .filter((field) => field.releaseId === releaseId)
        .map((field) => Math.min(WINDOWS_WATCHED, field.releaseWindows));
      const done = windows.reduce((sum, each) => sum + each, 0);
      screen.progress({ arrow: 'watch', label: 'learning what is normal', done, total: nodes * WINDOWS_WATCHED, note: '' });
      return done >= nodes * WINDOWS_WATCHED ? true : undefined;
    });
    screen.endProgress();
  }

  /** Changes the light and waits until the loop has answered it, all the way to a new release on every node. */
  async round(index: number, before: Release): Promise<Round> {
    const { scenario, screen, log, signal } = this.#parts;
    await this.watchBaseline(before.releaseId);
    this.#parts.chaos?.arm();
    const knownRuns = new Set(log.all(RunStarted).map((run) => run.runId));
    const known = new Set(log.all(CampaignStarted).map(announcementOf));
    const knownDrifts = log.all(NodeDrifted).length;
    const lightChangedAtMs = Date.now();
    scenario.world.setLight(index % 2 === 0 ? NIGHT : DAY);
    screen.heading(index % 2 === 0 ? 'Night falls' : 'Day breaks');
    await pollUntil({ what: 'a node to leave its baseline', limitMs: LIMITS.drift, signal }, () =>
      Promise.resolve(log.all(NodeDrifted).length > knownDrifts ? true : undefined),
    );
    const campaign = await log.waitFor(CampaignStarted, {
      what: 'a collection that answers the drift',
      limitMs: LIMITS.drift,
      signal,
      matches: (each) => each.campaignId !== BASE_CAMPAIGN && !known.has(announcementOf(each)),
    });
    await this.#collect(campaign);
    await this.#label();
    const run = await log.waitFor(RunStarted, {
      what: 'new labels to start a run',
      limitMs: LIMITS.labels,
      signal,
      matches: (each) => !knownRuns.has(each.runId),
    });
    const ended = await untilRunEnds(this.#parts, run.runId);
    if ('reason' in ended && ended.outcome !== 'refused') throw stoppedBy(ended);
    if ('reason' in ended) return { run, before, rolledOut: null, lightChangedAtMs };
    const rolledOut = await untilRolledOut(this.#parts, ended);
    await this.#untilRunning(rolledOut.release.releaseId);
    return { run, before, rolledOut, lightChangedAtMs };
  }

  newestDataset(): PayloadOf<typeof DatasetSnapshotted> | undefined {
    return this.#parts.log.all(DatasetSnapshotted).at(-1);
  }

  async #collect(campaign: PayloadOf<typeof CampaignStarted>): Promise<void> {
    const { stack, screen, signal } = this.#parts;
    await pollUntil({ what: `campaign ${campaign.campaignId} to close`, limitMs: LIMITS.campaign, signal }, async () => {
      const { campaigns } = await stack.bus.ask(AskCampaigns, {});
      const view = campaigns.find((each) => each.campaignId === campaign.campaignId);
      if (view)
        screen.progress({
          arrow: 'collect',
          label: 'samples in the ledger',
          done: view.accepted,
          total: Math.max(1, campaign.samplesTotal ?? view.accepted),
          note: '',
        });
      return view?.status === 'closed' ? true : undefined;
    });
    screen.endProgress();
  }

  async #label(): Promise<void> {
    const { stack, screen, signal } = this.#parts;
    await pollUntil({ what: 'every task to be answered', limitMs: LIMITS.labels, signal }, async () => {
      const { tasks } = await stack.bus.ask(AskDatasets, {});
      const total = tasks.open + tasks.claimed + tasks.answered + tasks.skipped;
      screen.progress({
        arrow: 'label',
        label: 'answered by the simulated person',
        done: tasks.answered + tasks.skipped,
        total: Math.max(1, total),
        note: '',
      });
      return tasks.open + tasks.claimed === 0 ? true : undefined;
    });
    screen.endProgress();
  }

  /** Not claimed but seen: every node's heartbeat carries the new release. */
  async #untilRunning(releaseId: string): Promise<void> {
    const { stack, nodes, signal } = this.#parts;
    await pollUntil({ what: `every node to be seen running ${releaseId}`, limitMs: LIMITS.running, signal }, async () => {
      const { nodes: views } = await stack.bus.ask(AskNodes, {});
      return views.filter((view) => view.running?.releaseId === releaseId).length >= nodes ? true : undefined;
    });
  }
}

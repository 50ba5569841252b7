import type { RolloutRelease } from '@edgeloop/contracts';
import { evolve, evolveAll } from './evolve.ts';
import { countWave, judgeWave } from './gates.ts';
import { planWaves } from './plan.ts';
import { NODES_PER_ROLLOUT_MAX, PAUSE_DEADLINE_MS, START_DEADLINE_MS, treatedNodes } from './rollout.ts';
import type { Candidate, Deployment, Outcome, Rollout, RolloutEvent, Status } from './rollout.ts';
import { isBack, watchNode } from './watch-node.ts';
import type { Watch } from './watch-node.ts';

export type RolloutInput =
  | {
      readonly type: 'begin';
      readonly at: number;
      readonly candidates: readonly Candidate[];
      readonly releases: Readonly<Record<string, RolloutRelease>>;
    }
  /** The clock and what is seen at that time. */
  | ({ readonly type: 'watch' } & Watch)
  | {
      readonly type: 'reported';
      readonly at: number;
      readonly nodeId: string;
      readonly rolloutId: string | null;
      readonly releaseId: string;
      readonly outcome: 'committed' | 'rolled-back' | 'rejected' | 'failed' | null;
      readonly reason: string | null;
    }
  | { readonly type: 'pause'; readonly by: string; readonly at: number }
  | { readonly type: 'resume'; readonly by: string; readonly at: number }
  | { readonly type: 'abort'; readonly by: string; readonly at: number }
  /** A newer rollout takes over and will treat these nodes. */
  | { readonly type: 'supersede'; readonly by: string; readonly at: number; readonly keeps: readonly string[] };

/** Events that one look at one node can bring in a row: running, healthy, proved. */
const EVENTS_PER_NODE_MAX = 3;
const NAMES_IN_REASON_MAX = 20;

function ended(outcome: Outcome, at: number, reason: string): RolloutEvent {
  return { type: 'ended', outcome, at, reason, supersededBy: null, bringBack: [] };
}

function deploymentOf({ previous, exposed, baseline }: Candidate): Deployment {
  return { previous, exposed, baseline, progress: { at: 'planned' } };
}

function begin(rollout: Rollout, input: RolloutInput & { type: 'begin' }): RolloutEvent[] {
  const { candidates, at } = input;
  if (candidates.length > NODES_PER_ROLLOUT_MAX) {
    return [ended('aborted', at, `${candidates.length} nodes selected, at most ${NODES_PER_ROLLOUT_MAX} fit one rollout: select fewer`)];
  }
  const waves = planWaves(
    candidates.map(({ nodeId }) => nodeId),
    rollout.strategy.waves,
    rollout.strategy.seed,
  );
  const planned = new Set(waves.flat());
  const nodes = Object.fromEntries(
    candidates.filter(({ nodeId }) => planned.has(nodeId)).map((candidate) => [candidate.nodeId, deploymentOf(candidate)]),
  );
  const begun: RolloutEvent = { type: 'begun', waves, nodes, releases: input.releases };
  if (waves.length === 0) return [begun, ended('completed', at, 'no node is enrolled: those that join will start with this release')];
  return [begun, { type: 'wave-offered', wave: 0, at }];
}

function halt(rollout: Rollout, outcome: 'rolled-back' | 'aborted', at: number, verdict: { wave: number; reason: string }): RolloutEvent[] {
  const bringBack = treatedNodes(rollout);
  const halted: RolloutEvent = { type: 'halted', outcome, wave: verdict.wave, at, reason: verdict.reason, bringBack };
  return bringBack.length > 0 ? [halted] : [halted, ended(outcome, at, verdict.reason)];
}

/** What follows from the counts: the way back, the next wave, or the end. Nothing while waves are not complete. */
function advance(rollout: Rollout, at: number): RolloutEvent[] {
  const verdict = judgeWave(rollout);
  if (verdict.kind === 'broken') return halt(rollout, 'rolled-back', at, verdict);
  if (verdict.kind === 'wait' || rollout.status.kind !== 'running') return [];
  const completed: RolloutEvent = { type: 'wave-completed', wave: rollout.wave };
  const next = rollout.wave + 1;
  if (next < rollout.waves.length) return [completed, { type: 'wave-offered', wave: next, at }];
  const failed = rollout.waves.reduce((sum, _, wave) => sum + countWave(rollout, wave).failed, 0);
  const says = failed === 0 ? 'every node runs it' : `${failed} nodes failed, below the abort rule`;
  return [completed, ended('completed', at, says)];
}

/** Everything that became true of the offered nodes, in order. */
function watchNodes(rollout: Rollout, watch: Watch): { events: RolloutEvent[]; after: Rollout } {
  const events: RolloutEvent[] = [];
  let after = rollout;
  for (const nodeId of rollout.waves.slice(0, rollout.wave + 1).flat()) {
    for (let turn = 0; turn < EVENTS_PER_NODE_MAX; turn++) {
      const found = watchNode(after, nodeId, watch);
      if (found.length === 0) break;
      events.push(...found);
      after = evolveAll(after, found);
    }
  }
  return { events, after };
}

function watchForward(rollout: Rollout, watch: Watch): RolloutEvent[] {
  const { events, after } = watchNodes(rollout, watch);
  const { status } = after;
  if (status.kind === 'paused' && watch.now - status.at > PAUSE_DEADLINE_MS) {
    return [...events, ...halt(after, 'aborted', watch.now, { wave: after.wave, reason: `paused by ${status.by} and never resumed` })];
  }
  return [...events, ...advance(after, watch.now)];
}

function listed(nodeIds: readonly string[]): string {
  const more = nodeIds.length > NAMES_IN_REASON_MAX ? ` and ${nodeIds.length - NAMES_IN_REASON_MAX} more` : '';
  return `${nodeIds.slice(0, NAMES_IN_REASON_MAX).join(', ')}${more}`;
}

function watchBack(rollout: Rollout, status: Status & { kind: 'halting' }, watch: Watch): RolloutEvent[] {
  const back = status.pending.filter((nodeId) => isBack(rollout, nodeId, watch.observations.get(nodeId)));
  const events = back.map((nodeId): RolloutEvent => ({ type: 'node-back', nodeId }));
  const missing = status.pending.filter((nodeId) => !back.includes(nodeId));
  if (missing.length === 0) return [...events, ended(status.outcome, watch.now, status.reason)];
  if (watch.now - status.at <= rollout.strategy.deploymentTimeoutMs) return events;
  return [...events, ended(status.outcome, watch.now, `${status.reason}; not seen back: ${listed(missing)}`.slice(0, 1000))];
}

function watched(rollout: Rollout, watch: Watch): RolloutEvent[] {
  const { status } = rollout;
  switch (status.kind) {
    case 'starting':
      return watch.now - rollout.startedAt > START_DEADLINE_MS
        ? [ended('aborted', watch.now, 'could not begin in time: the fleet service did not answer')]
        : [];
    case 'running':
    case 'paused':
      return watchForward(rollout, watch);
    case 'halting':
      return watchBack(rollout, status, watch);
    case 'ended':
      return [];
    default: {
      const never: never = status;
      return never;
    }
  }
}

/** Only bad news counts: success is what heartbeats show. */
function reported(rollout: Rollout, input: RolloutInput & { type: 'reported' }): RolloutEvent[] {
  const { nodeId, outcome, at } = input;
  const ours = input.rolloutId === rollout.rolloutId && input.releaseId === rollout.release.releaseId;
  if (!ours || outcome === null || outcome === 'committed') return [];
  const going = rollout.nodes[nodeId]?.progress.at;
  if (going !== 'offered' && going !== 'running') return [];
  const failed: RolloutEvent = { type: 'node-failed', nodeId, at, reason: input.reason ?? outcome };
  return [failed, ...advance(evolve(rollout, failed), at)];
}

function abort(rollout: Rollout, by: string, at: number): RolloutEvent[] {
  const reason = `aborted by ${by}`;
  switch (rollout.status.kind) {
    case 'starting':
      return [ended('aborted', at, reason)];
    case 'running':
    case 'paused':
      return halt(rollout, 'aborted', at, { wave: rollout.wave, reason });
    default:
      return [];
  }
}

function supersede(rollout: Rollout, input: RolloutInput & { type: 'supersede' }): RolloutEvent[] {
  const keeps = new Set(input.keeps);
  const bringBack = rollout.status.kind === 'halting' ? [] : treatedNodes(rollout).filter((nodeId) => !keeps.has(nodeId));
  const reason = `superseded by ${input.by}`;
  return [{ type: 'ended', outcome: 'superseded', at: input.at, reason, supersededBy: input.by, bringBack }];
}

/** What follows from an input. An empty list: nothing changed, nothing to write. */
export function decide(rollout: Rollout, input: RolloutInput): readonly RolloutEvent[] {
  const { kind } = rollout.status;
  if (kind === 'ended') return [];
  switch (input.type) {
    case 'begin':
      return kind === 'starting' ? begin(rollout, input) : [];
    case 'watch':
      return watched(rollout, input);
    case 'reported':
      return kind === 'running' || kind === 'paused' ? reported(rollout, input) : [];
    case 'pause':
      return kind === 'running' ? [{ type: 'paused', by: input.by, at: input.at }] : [];
    case 'resume':
      return kind === 'paused' ? [{ type: 'resumed', by: input.by }] : [];
    case 'abort':
      return abort(rollout, input.by, input.at);
    case 'supersede':
      return supersede(rollout, input);
    default: {
      const never: never = input;
      return never;
    }
  }
}

import type { Output } from '@edgeloop/bus';
import {
  NODES_PER_ASSIGNMENT_MAX,
  RolloutAssigned,
  RolloutEnded,
  RolloutHalted,
  RolloutPaused,
  RolloutResumed,
  RolloutStarted,
  RolloutWaveCompleted,
  RolloutWaveStarted,
} from '@edgeloop/contracts';
import type { EventContract, PayloadOf, RolloutRelease } from '@edgeloop/contracts';
import { evolve } from '../domain/evolve.ts';
import { countWave } from '../domain/gates.ts';
import type { Rollout, RolloutEvent } from '../domain/rollout.ts';

/** Limits of the contracts. */
const REASON_LENGTH_MAX = 1000;
const FAILURES_LISTED_MAX = 100;

type Said = (contract: EventContract, payload: object) => Output;

/** Ids follow from the rollout and its step: deciding again on the same state says the same things under the same ids. */
function speaker(rollout: Rollout): Said {
  let spoken = 0;
  return (contract, payload) => ({
    contract,
    payload: { rolloutId: rollout.rolloutId, ...payload } as PayloadOf<EventContract>,
    id: `${rollout.rolloutId}.${rollout.step}.${spoken++}`,
  });
}

function chunks(nodeIds: readonly string[]): string[][] {
  const count = Math.ceil(nodeIds.length / NODES_PER_ASSIGNMENT_MAX);
  return Array.from({ length: count }, (_, index) =>
    nodeIds.slice(index * NODES_PER_ASSIGNMENT_MAX, (index + 1) * NODES_PER_ASSIGNMENT_MAX),
  );
}

interface Assignment {
  readonly kind: 'offer' | 'rollback';
  readonly release: RolloutRelease | null;
  readonly nodeIds: readonly string[];
}

function assignments(rollout: Rollout, say: Said, what: readonly Assignment[]): Output[] {
  const parts = what.flatMap(({ kind, release, nodeIds }) => chunks(nodeIds).map((part) => ({ kind, release, nodeIds: part })));
  return parts.map((part, index) =>
    say(RolloutAssigned, { assignmentId: `${rollout.rolloutId}.${rollout.step}.${part.kind}.${index}`, ...part }),
  );
}

function wayBack(rollout: Rollout, say: Said, nodeIds: readonly string[]): Output[] {
  const groups = Map.groupBy(nodeIds, (nodeId) => rollout.nodes[nodeId]?.previous ?? null);
  return assignments(
    rollout,
    say,
    [...groups].map(([previous, group]) => ({
      kind: 'rollback',
      release: previous === null ? null : (rollout.releases[previous] ?? null),
      nodeIds: group,
    })),
  );
}

function offer(rollout: Rollout, say: Said, wave: number): Output[] {
  const nodeIds = rollout.waves[wave] ?? [];
  return [say(RolloutWaveStarted, { wave, nodeIds }), ...assignments(rollout, say, [{ kind: 'offer', release: rollout.release, nodeIds }])];
}

function failures(rollout: Rollout): { nodeId: string; reason: string }[] {
  return Object.entries(rollout.nodes).flatMap(([nodeId, { progress }]) =>
    progress.at === 'failed' ? [{ nodeId, reason: progress.reason }] : [],
  );
}

function totals(rollout: Rollout): { running: number; failed: number } {
  const counts = rollout.waves.map((_, wave) => countWave(rollout, wave));
  return { running: counts.reduce((sum, { running }) => sum + running, 0), failed: counts.reduce((sum, { failed }) => sum + failed, 0) };
}

/** Nodes that serve the release when the rollout ends: after a way back, those that were not seen back. */
function runningAtEnd(rollout: Rollout): number {
  return rollout.status.kind === 'halting' ? rollout.status.pending.length : totals(rollout).running;
}

function halted(rollout: Rollout, event: RolloutEvent & { type: 'halted' }, say: Said): Output[] {
  const back = wayBack(rollout, say, event.bringBack);
  if (event.outcome === 'aborted') return back;
  const { offered, failed } = countWave(rollout, event.wave);
  const payload = {
    wave: event.wave,
    failed,
    offered,
    reason: event.reason.slice(0, REASON_LENGTH_MAX),
    failures: failures(rollout).slice(0, FAILURES_LISTED_MAX),
  };
  return [say(RolloutHalted, payload), ...back];
}

function outputsOfOne(rollout: Rollout, event: RolloutEvent): Output[] {
  const say = speaker(rollout);
  const { release, selection, strategy, reason } = rollout;
  switch (event.type) {
    case 'begun':
      return [say(RolloutStarted, { release, selection, strategy, waves: event.waves.map(({ length }) => length), reason })];
    case 'wave-offered':
      return offer(rollout, say, event.wave);
    case 'wave-completed': {
      const { running, failed } = countWave(rollout, event.wave);
      return [say(RolloutWaveCompleted, { wave: event.wave, running, failed })];
    }
    case 'paused':
      return [say(RolloutPaused, { by: event.by })];
    case 'resumed':
      return [say(RolloutResumed, { by: event.by })];
    case 'halted':
      return halted(rollout, event, say);
    case 'ended': {
      const counts = { running: runningAtEnd(rollout), failed: totals(rollout).failed };
      const payload = { releaseId: release.releaseId, outcome: event.outcome, ...counts, reason: event.reason.slice(0, REASON_LENGTH_MAX) };
      return [...wayBack(rollout, say, event.bringBack), say(RolloutEnded, payload)];
    }
    case 'node-running':
    case 'node-healthy':
    case 'node-faltered':
    case 'node-proved':
    case 'node-failed':
    case 'node-back':
      return [];
    default: {
      const never: never = event;
      return never;
    }
  }
}

/** The state after the events, and what the world must hear of them. */
export function settled(rollout: Rollout, events: readonly RolloutEvent[]): { state: Rollout; outputs: readonly Output[] } {
  const outputs: Output[] = [];
  let state = rollout;
  for (const event of events) {
    outputs.push(...outputsOfOne(state, event));
    state = evolve(state, event);
  }
  return { state, outputs };
}

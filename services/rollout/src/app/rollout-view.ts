import type { RolloutView } from '@edgeloop/contracts';
import { isoOf } from '@edgeloop/runtime';
import { countWave } from '../domain/gates.ts';
import type { Rollout } from '../domain/rollout.ts';

function statusOf({ status }: Rollout): RolloutView['status'] {
  switch (status.kind) {
    case 'starting':
      return 'running';
    case 'ended':
      return status.outcome;
    default:
      return status.kind;
  }
}

function reasonOf({ status, reason }: Rollout): string {
  switch (status.kind) {
    case 'halting':
      return `${status.reason}; waiting for ${status.pending.length} nodes to be seen back`;
    case 'ended':
      return status.reason;
    case 'paused':
      return `${reason}; paused by ${status.by}`;
    case 'starting':
      return `${reason}; waiting for the fleet service to name the nodes`;
    default:
      return reason;
  }
}

export function viewOf(rollout: Rollout): RolloutView {
  return {
    rolloutId: rollout.rolloutId,
    releaseId: rollout.release.releaseId,
    status: statusOf(rollout),
    wave: rollout.wave,
    waves: rollout.waves.map((nodeIds, wave) => {
      const { running, failed, pending } = countWave(rollout, wave);
      return { nodeIds: [...nodeIds], running, failed, pending };
    }),
    startedAt: isoOf(rollout.startedAt),
    endedAt: rollout.status.kind === 'ended' ? isoOf(rollout.status.at) : null,
    reason: reasonOf(rollout),
  };
}

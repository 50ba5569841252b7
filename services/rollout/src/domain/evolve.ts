import type { Deployment, Progress, Rollout, RolloutEvent } from './rollout.ts';

function withProgress(rollout: Rollout, nodeId: string, change: (progress: Progress) => Progress): Rollout {
  const deployment = rollout.nodes[nodeId];
  if (deployment === undefined) return rollout;
  return { ...rollout, nodes: { ...rollout.nodes, [nodeId]: { ...deployment, progress: change(deployment.progress) } } };
}

function offeredAtOf(progress: Progress): number {
  return progress.at === 'planned' ? 0 : progress.offeredAt;
}

function whileRunning(rollout: Rollout, nodeId: string, change: (running: Progress & { at: 'running' }) => Progress): Rollout {
  return withProgress(rollout, nodeId, (progress) => (progress.at === 'running' ? change(progress) : progress));
}

function offerWave(rollout: Rollout, wave: number, at: number): Rollout {
  const offered = (rollout.waves[wave] ?? []).flatMap((nodeId): [string, Deployment][] => {
    const deployment = rollout.nodes[nodeId];
    return deployment === undefined ? [] : [[nodeId, { ...deployment, progress: { at: 'offered', offeredAt: at } }]];
  });
  return { ...rollout, wave, nodes: { ...rollout.nodes, ...Object.fromEntries(offered) } };
}

function seenBack(rollout: Rollout, nodeId: string): Rollout {
  const { status } = rollout;
  if (status.kind !== 'halting') return rollout;
  return { ...rollout, status: { ...status, pending: status.pending.filter((pending) => pending !== nodeId) } };
}

function applied(rollout: Rollout, event: RolloutEvent): Rollout {
  switch (event.type) {
    case 'begun':
      return { ...rollout, status: { kind: 'running' }, waves: event.waves, nodes: event.nodes, releases: event.releases };
    case 'wave-offered':
      return offerWave(rollout, event.wave, event.at);
    case 'node-running':
      return withProgress(rollout, event.nodeId, (progress) => ({
        at: 'running',
        offeredAt: offeredAtOf(progress),
        seenAt: event.at,
        healthySince: null,
        falteredAt: event.at,
        proved: false,
      }));
    case 'node-healthy':
      return whileRunning(rollout, event.nodeId, (running) => ({ ...running, healthySince: event.at, falteredAt: null }));
    case 'node-faltered':
      return whileRunning(rollout, event.nodeId, (running) => ({ ...running, healthySince: null, falteredAt: event.at }));
    case 'node-proved':
      return whileRunning(rollout, event.nodeId, (running) => ({ ...running, proved: true }));
    case 'node-failed':
      return withProgress(rollout, event.nodeId, (progress) => ({
        at: 'failed',
        offeredAt: offeredAtOf(progress),
        failedAt: event.at,
        reason: event.reason,
      }));
    case 'wave-completed':
      return rollout;
    case 'paused':
      return { ...rollout, status: { kind: 'paused', by: event.by, at: event.at } };
    case 'resumed':
      return { ...rollout, status: { kind: 'running' } };
    case 'halted': {
      const { outcome, at, reason, bringBack } = event;
      return { ...rollout, status: { kind: 'halting', outcome, at, reason, pending: bringBack } };
    }
    case 'node-back':
      return seenBack(rollout, event.nodeId);
    case 'ended': {
      const { outcome, at, reason, supersededBy } = event;
      return { ...rollout, status: { kind: 'ended', outcome, at, reason, supersededBy } };
    }
    default: {
      const never: never = event;
      return never;
    }
  }
}

export function evolve(rollout: Rollout, event: RolloutEvent): Rollout {
  return { ...applied(rollout, event), step: rollout.step + 1 };
}

export function evolveAll(rollout: Rollout, events: readonly RolloutEvent[]): Rollout {
  return events.reduce(evolve, rollout);
}

import type { DeploymentOutcome } from '@edgeloop/contracts';
import { DETAIL_MAX, isRejection } from './failure.ts';
import type { Failure } from './failure.ts';
import type { Deployment, NodeState } from './node-state.ts';
import { samePackage } from './release.ts';
import type { DesiredRelease } from './release.ts';
import { withReport } from './reports.ts';

export function beginDeployment(release: DesiredRelease, generation: number): Deployment {
  return {
    release,
    generation,
    step: 'verify',
    attempts: 0,
    waits: 0,
    trialStarts: 0,
    stepStarts: 0,
    switched: false,
    failure: null,
    reportedPhase: null,
  };
}

/** From here there is one way: back to the proven release. */
export function giveUp(deployment: Deployment, failure: Failure): Deployment {
  return { ...deployment, step: 'roll-back', attempts: 0, waits: 0, failure: { ...failure, detail: failure.detail.slice(0, DETAIL_MAX) } };
}

export function supersede(deployment: Deployment, byGeneration: number): Deployment {
  return giveUp(deployment, {
    reason: 'superseded',
    detail: `desired generation ${byGeneration} asks for something else`,
    severity: 'final',
  });
}

export function outcomeOf(deployment: Deployment): DeploymentOutcome {
  if (deployment.failure === null) return 'committed';
  if (deployment.switched) return 'rolled-back';
  return isRejection(deployment.failure.reason) ? 'rejected' : 'failed';
}

export function wasReleaseOf(announced: NodeState['announced'], release: DesiredRelease): boolean {
  return announced !== null && announced.packageDigest === release.packageDigest && announced.rolloutId === release.rolloutId;
}

/** Proven or back: the one place where a deployment ends and its outcome is said. */
export function endDeployment(node: NodeState, deployment: Deployment, atMs: number): NodeState {
  const ended = deployment.failure === null ? proven(node, deployment) : refused(node, deployment, deployment.failure);
  return withReport(ended, { deployment, atMs, phase: 'idle', outcome: outcomeOf(deployment), failure: deployment.failure });
}

function proven(node: NodeState, { release, generation }: Deployment): NodeState {
  const previous = samePackage(node.proven?.release, release) ? node.previous : node.proven;
  return {
    ...node,
    deployment: null,
    proven: { release, generation },
    previous,
    announced: { packageDigest: release.packageDigest, rolloutId: release.rolloutId },
  };
}

function refused(node: NodeState, { release, generation }: Deployment, failure: Failure): NodeState {
  if (failure.reason === 'superseded') return { ...node, deployment: null };
  return { ...node, deployment: null, bad: { generation, packageDigest: release.packageDigest, reason: failure.reason } };
}

import type { DeploymentPhase } from '@edgeloop/contracts';
import type { Deployment, NodeState, Updater } from './node-state.ts';
import { FLOW, PHASE_OF, STEP_LIMITS } from './step.ts';
import type { Step } from './step.ts';

/** Everything left to do, in order; the runner takes the first. Empty: what runs is what is desired, or as near as it gets. */
export function plan({ node, live }: Updater): readonly Step[] {
  const resume = resumeSteps(node, live.serving);
  if (node.deployment !== null) {
    // A proven release that will not start must not keep a newer one from being tried.
    const first = live.failuresInARow < STEP_LIMITS.resume.attemptsMax ? resume : [];
    return [...first, ...deploymentSteps(node.deployment, node)];
  }
  if (node.desired !== null && node.desired.release === null && node.proven !== null) return [{ kind: 'retire' }];
  if (resume.length > 0) return resume;
  return live.untidy ? [{ kind: 'tidy', keep: slotsToKeep(node) }] : [];
}

/** The pause before the first planned step grows with this. */
export function failuresInARow({ node, live }: Updater): number {
  return node.deployment === null ? live.failuresInARow : node.deployment.attempts + node.deployment.waits;
}

function resumeSteps(node: NodeState, serving: string | null): Step[] {
  if (node.proven === null || serving === node.proven.release.packageDigest) return [];
  const onTrial = serving !== null && serving === node.deployment?.release.packageDigest;
  return onTrial ? [] : [{ kind: 'resume', ...node.proven }];
}

function deploymentSteps(deployment: Deployment, node: NodeState): Step[] {
  const { step, release, generation } = deployment;
  const { proven } = node;
  if (step === 'roll-back') return [{ kind: 'roll-back', release, generation, proven }];
  return FLOW.slice(FLOW.indexOf(step)).map((kind) => ({ kind, release, generation, proven }));
}

/** Package digests whose slots must stay: what serves, what may have to, what is on its way. */
export function slotsToKeep(node: NodeState): readonly string[] {
  const digests = [node.proven, node.previous, node.deployment].map((holder) => holder?.release.packageDigest);
  return [...new Set(digests.filter((digest) => digest !== undefined))];
}

/** How the world shows what the node is doing. */
export function phaseOf(state: Updater): DeploymentPhase {
  const { deployment } = state.node;
  if (deployment !== null) return PHASE_OF[deployment.step];
  return plan(state)[0]?.kind === 'resume' ? 'switching' : 'idle';
}

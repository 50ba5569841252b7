import type { Deployment, Progress, Rollout, RolloutEvent } from './rollout.ts';
import { isFresh, isHealthy, runs } from './sight.ts';
import type { HealthLimits, Sight } from './sight.ts';
import { judgeVision, NOTHING_SEEN } from './vision.ts';
import type { Seen, VisionVerdict } from './vision.ts';

/** All that is known of one node right now. */
export interface Observation {
  readonly sight: Sight;
  /** What it saw under the release being rolled out. */
  readonly seen?: Seen;
  /** What the fleet service holds as its desired state; asked for only on the way back. */
  readonly desired?: { readonly releaseId: string | null; readonly generation: number };
}

export interface Watch {
  readonly now: number;
  readonly limits: HealthLimits;
  readonly observations: ReadonlyMap<string, Observation>;
}

/** Heartbeats in a row that must contradict before a node counts as fallen back. */
export const CONTRADICTIONS_MIN = 2;

type Running = Progress & { at: 'running' };

/** One node that runs the release, with all there is to judge it by. */
interface Case {
  readonly rollout: Rollout;
  readonly nodeId: string;
  readonly deployment: Deployment;
  readonly running: Running;
  readonly observation: Observation | undefined;
  readonly watch: Watch;
}

function watchOffered(rollout: Rollout, nodeId: string, offeredAt: number, watch: Watch): RolloutEvent[] {
  const sight = watch.observations.get(nodeId)?.sight;
  if (sight !== undefined && runs(sight, rollout.release)) return [{ type: 'node-running', nodeId, at: watch.now }];
  const late = watch.now - offeredAt > rollout.strategy.deploymentTimeoutMs;
  return late ? [{ type: 'node-failed', nodeId, at: watch.now, reason: 'timeout' }] : [];
}

function visionOf({ deployment, observation }: Case): VisionVerdict {
  return judgeVision(deployment.baseline, observation?.seen ?? NOTHING_SEEN);
}

/** A fact that ends the node's part in the rollout, or undefined. */
function failureOf(found: Case): string | undefined {
  const sight = found.observation?.sight;
  if (sight === undefined) return undefined;
  const other = sight.beat.running !== null && !runs(sight, found.rollout.release);
  // A node that is still rolling back will say why; at rest on something else it has nothing more to say.
  if (other && sight.beat.phase === 'idle' && sight.sameRunning >= CONTRADICTIONS_MIN) return 'fell-back';
  return visionOf(found) === 'sees-nothing' ? 'sees-nothing' : undefined;
}

function isProof(found: Case): boolean {
  const { rollout, running, observation, watch } = found;
  if (running.healthySince === null || watch.now - running.healthySince < rollout.strategy.soakMs) return false;
  if (observation?.sight.beat.phase !== 'idle') return false;
  const verdict = visionOf(found);
  return verdict === 'sees' || verdict === 'not-judged';
}

/** Why a node that ran out of time is not proved, in one word. */
function missingProof(found: Case): string {
  const { observation, watch } = found;
  if (observation === undefined || !isFresh(observation.sight, watch.now, watch.limits)) return 'silent';
  if (found.running.healthySince === null) return 'unhealthy';
  if (observation.sight.beat.phase !== 'idle') return 'not-committed';
  return visionOf(found) === 'nothing-heard' ? 'no-telemetry' : 'not-proved';
}

/** A node has the soak time plus the deployment time to prove the release; one that proved it may falter for the latter. */
function outOfTime({ rollout, running, watch }: Case): boolean {
  const { deploymentTimeoutMs, soakMs } = rollout.strategy;
  if (running.proved) return running.falteredAt !== null && watch.now - running.falteredAt > deploymentTimeoutMs;
  return watch.now - running.seenAt > soakMs + deploymentTimeoutMs;
}

/** Health that changed, or the proof. Nothing is concluded from a node that was not heard since this process started. */
function changeOf(found: Case): RolloutEvent | undefined {
  const { rollout, nodeId, running, observation, watch } = found;
  if (observation === undefined) return undefined;
  const healthy = isHealthy(observation.sight, rollout.release, watch.now, watch.limits);
  if (healthy && running.healthySince === null) return { type: 'node-healthy', nodeId, at: watch.now };
  if (!healthy && running.healthySince !== null) return { type: 'node-faltered', nodeId, at: watch.now };
  return healthy && !running.proved && isProof(found) ? { type: 'node-proved', nodeId } : undefined;
}

function watchRunning(found: Case): RolloutEvent[] {
  const { nodeId, watch } = found;
  const failure = failureOf(found);
  if (failure !== undefined) return [{ type: 'node-failed', nodeId, at: watch.now, reason: failure }];
  const change = changeOf(found);
  if (change !== undefined) return [change];
  return outOfTime(found) ? [{ type: 'node-failed', nodeId, at: watch.now, reason: missingProof(found) }] : [];
}

/** The next thing that became true of an offered node, at most one; ask again after applying it. */
export function watchNode(rollout: Rollout, nodeId: string, watch: Watch): RolloutEvent[] {
  const deployment = rollout.nodes[nodeId];
  switch (deployment?.progress.at) {
    case 'offered':
      return watchOffered(rollout, nodeId, deployment.progress.offeredAt, watch);
    case 'running':
      return watchRunning({
        rollout,
        nodeId,
        deployment,
        running: deployment.progress,
        observation: watch.observations.get(nodeId),
        watch,
      });
    default:
      return [];
  }
}

/**
 * On the way back a node is home when it has accepted the desired state that says so, is at rest, and serves something
 * else than the release it was taken from (nothing, when it never had another).
 */
export function isBack(rollout: Rollout, nodeId: string, observation: Observation | undefined): boolean {
  const deployment = rollout.nodes[nodeId];
  if (deployment === undefined || observation?.desired === undefined) return false;
  const { sight, desired } = observation;
  const told = desired.releaseId === deployment.previous && sight.beat.desiredGeneration >= desired.generation;
  if (!told || sight.beat.phase !== 'idle') return false;
  const { running } = sight.beat;
  if (deployment.previous === rollout.release.releaseId) return running !== null;
  if (running === null) return deployment.previous === null;
  return running.releaseId !== rollout.release.releaseId;
}

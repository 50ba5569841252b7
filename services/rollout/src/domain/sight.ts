import type { DeploymentPhase, RolloutRelease, RunningModel } from '@edgeloop/contracts';

/** The fields of a heartbeat that a rollout looks at. */
export interface Beat {
  readonly nodeId: string;
  readonly epoch: string;
  readonly sequence: number;
  readonly running: RunningModel | null;
  readonly phase: DeploymentPhase;
  readonly desiredGeneration: number;
  readonly framesTotal: number;
  readonly inferenceErrors: number;
  readonly lastInferenceAgoMs: number | null;
}

/** What is known of a node from its heartbeats, in memory only: a restart begins anew. */
export interface Sight {
  readonly beat: Beat;
  /** Our clock, not the node's. */
  readonly receivedAt: number;
  /** Heartbeats in a row that named the same running release. */
  readonly sameRunning: number;
  /** When frames were last seen to grow while the same release ran; null before that. */
  readonly framesGrewAt: number | null;
  /** Since the heartbeat before, more inferences failed than frames were done. */
  readonly erring: boolean;
}

export interface HealthLimits {
  /** A node not heard for longer is not healthy. */
  readonly heartbeatStaleMs: number;
  /** A node whose last good inference is older is not healthy. */
  readonly inferenceStaleMs: number;
}

function sameModel(a: RunningModel | null, b: RunningModel | null): boolean {
  return a?.releaseId === b?.releaseId && a?.modelDigest === b?.modelDigest;
}

/** Takes in a heartbeat; one that came late or twice changes nothing. */
export function look(before: Sight | undefined, beat: Beat, receivedAt: number): Sight {
  if (before === undefined) return { beat, receivedAt, sameRunning: 1, framesGrewAt: null, erring: false };
  if (before.beat.epoch === beat.epoch && beat.sequence <= before.beat.sequence) return before;
  const same = sameModel(before.beat.running, beat.running);
  const frames = beat.framesTotal - before.beat.framesTotal;
  const errors = beat.inferenceErrors - before.beat.inferenceErrors;
  return {
    beat,
    receivedAt,
    sameRunning: same ? before.sameRunning + 1 : 1,
    framesGrewAt: same && frames > 0 ? receivedAt : same ? before.framesGrewAt : null,
    erring: same && errors > 0 && errors > frames,
  };
}

/** The weights of this release are loaded and serving: the digest says so, not a claim of success. */
export function runs(sight: Sight, release: Pick<RolloutRelease, 'releaseId' | 'modelDigest'>): boolean {
  return sight.beat.running?.releaseId === release.releaseId && sight.beat.running.modelDigest === release.modelDigest;
}

export function isFresh(sight: Sight, now: number, limits: HealthLimits): boolean {
  return now - sight.receivedAt <= limits.heartbeatStaleMs;
}

/** Runs the release and does its work: frames grow, inferences succeed, and we hear so. */
export function isHealthy(sight: Sight, release: RolloutRelease, now: number, limits: HealthLimits): boolean {
  if (!runs(sight, release) || !isFresh(sight, now, limits) || sight.erring) return false;
  const { lastInferenceAgoMs } = sight.beat;
  if (lastInferenceAgoMs === null || lastInferenceAgoMs > limits.inferenceStaleMs) return false;
  return sight.framesGrewAt !== null && now - sight.framesGrewAt <= limits.inferenceStaleMs;
}

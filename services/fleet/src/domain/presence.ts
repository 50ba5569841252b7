import type { DeploymentPhase, RunningModel } from '@edgeloop/contracts';

/** The fields of a heartbeat that the fleet shows. */
export interface Beat {
  readonly nodeId: string;
  readonly epoch: string;
  readonly sequence: number;
  readonly running: RunningModel | null;
  readonly phase: DeploymentPhase;
  readonly desiredGeneration: number;
  readonly framesTotal: number;
  readonly framesPerSecond: number;
}

/** What the last heartbeats showed; in memory only. */
export interface Presence {
  readonly beat: Beat;
  /** Our clock, milliseconds since 1970. */
  readonly seenAt: number;
  /** Heartbeats in a row that named the same running release. */
  readonly sameRunning: number;
  readonly formerEpoch: string | null;
  /** Two lives of the node's state folder spoke in turns: two machines share one identity. */
  readonly duplicated: boolean;
}

/** A node not heard for longer is not connected. */
export const CONNECTED_WITHIN_MS = 15_000;
/** Heartbeats in a row that must contradict the desired state before a node counts as fallen back. */
export const CONTRADICTIONS_MIN = 2;

/** Takes in a heartbeat; one that is late or repeated changes nothing. */
export function notice(before: Presence | undefined, beat: Beat, seenAt: number): Presence {
  if (before === undefined) return { beat, seenAt, sameRunning: 1, formerEpoch: null, duplicated: false };
  const sameLife = before.beat.epoch === beat.epoch;
  if (sameLife && beat.sequence <= before.beat.sequence) return before;
  return {
    beat,
    seenAt,
    sameRunning: before.beat.running?.releaseId === beat.running?.releaseId ? before.sameRunning + 1 : 1,
    formerEpoch: sameLife ? before.formerEpoch : before.beat.epoch,
    duplicated: before.duplicated || (!sameLife && before.formerEpoch === beat.epoch),
  };
}

export function isConnected(presence: Presence | undefined, now: number): boolean {
  return presence !== undefined && now - presence.seenAt <= CONNECTED_WITHIN_MS;
}

/** It said it runs what it should, and heartbeats say otherwise while it is at rest. */
export function fellBack(presence: Presence | undefined, desired: { releaseId: string; generation: number }): boolean {
  if (presence === undefined || presence.beat.phase !== 'idle' || presence.beat.desiredGeneration < desired.generation) return false;
  return presence.beat.running?.releaseId !== desired.releaseId && presence.sameRunning >= CONTRADICTIONS_MIN;
}

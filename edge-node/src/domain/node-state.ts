import type { Desired, DeploymentOutcome, DeploymentPhase } from '@edgeloop/contracts';
import type { Failure, FailureReason } from './failure.ts';
import type { DesiredRelease, Installed } from './release.ts';
import type { DeploymentStep } from './step.ts';

/** One release on its way to being proven. */
export interface Deployment {
  readonly release: DesiredRelease;
  /** The desired generation that asked for it. */
  readonly generation: number;
  /** The step to take next; a crash repeats it. */
  readonly step: DeploymentStep;
  /** Failed attempts of this step. */
  readonly attempts: number;
  /** Pauses of this step because something outside the node was away. */
  readonly waits: number;
  readonly trialStarts: number;
  readonly stepStarts: number;
  /** Frames may have been on the new weights. */
  readonly switched: boolean;
  /** Why it is on its way back. */
  readonly failure: Failure | null;
  readonly reportedPhase: DeploymentPhase | null;
}

export interface PendingReport {
  readonly sequence: number;
  readonly atMs: number;
  readonly generation: number;
  readonly rolloutId: string | null;
  readonly releaseId: string;
  readonly phase: DeploymentPhase;
  readonly outcome: DeploymentOutcome | null;
  readonly reason: FailureReason | null;
  readonly detail: string | null;
}

/** What the node must remember through a power cut. One document, written whole. */
export interface NodeState {
  /** Names one life of the state folder. */
  readonly epoch: string;
  readonly desired: Desired | null;
  readonly proven: Installed | null;
  /** The one slot that is kept to go back to when the proven one is damaged. */
  readonly previous: Installed | null;
  readonly deployment: Deployment | null;
  /** Not tried again before a newer desired generation. */
  readonly bad: { readonly generation: number; readonly packageDigest: string; readonly reason: FailureReason } | null;
  /** The last deployment whose good end was reported. */
  readonly announced: { readonly packageDigest: string; readonly rolloutId: string | null } | null;
  readonly reportSequence: number;
  /** Reports that the spool does not have yet. */
  readonly outbox: readonly PendingReport[];
  /** No honest clock shows less: the newest signed time seen. */
  readonly clockFloorMs: number;
}

/** What is true of the running processes only; a restart forgets it. */
export interface Live {
  /** Package digest of the weights that serve frames. */
  readonly serving: string | null;
  /** Old slots or processes may be lying around. */
  readonly untidy: boolean;
  /** Of steps outside a deployment, for the back-off. */
  readonly failuresInARow: number;
}

export interface Updater {
  readonly node: NodeState;
  readonly live: Live;
}

/** Reports that the state keeps for a spool that is broken; the state file must stay small. */
export const OUTBOX_MAX = 64;

export function emptyNodeState(epoch: string): NodeState {
  return {
    epoch,
    desired: null,
    proven: null,
    previous: null,
    deployment: null,
    bad: null,
    announced: null,
    reportSequence: 0,
    outbox: [],
    clockFloorMs: 0,
  };
}

/** A restarted agent: no process serves, leftovers of the last life are possible. */
export const FRESH_LIVE: Live = { serving: null, untidy: true, failuresInARow: 0 };

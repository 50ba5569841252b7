import type { ObjectRef, SampleManifest } from '@edgeloop/contracts';

/** What is known of a kept frame when it is kept; the rest of its manifest comes with the upload. */
export type SampleFacts = Omit<SampleManifest, 'nodeId' | 'epoch' | 'sequence' | 'object'>;

/** Rejoins the loop after a crash at the stage it had reached. */
export type SampleStage =
  /** In the spool only. */
  | 'kept'
  /** In the spool only: the store or the bus would not take it. It waits aside, and is tried again after a longer pause. */
  | 'refused'
  /** In the spool only: its campaign closed before it was uploaded. The collector is asked whether it may go. */
  | 'unwanted'
  /** The object is in the store; nobody was told. */
  | 'stored'
  /** The manifest is on the bus; the collector's receipt is awaited. */
  | 'announced';

export interface SpooledSample {
  readonly sequence: number;
  readonly stage: SampleStage;
  readonly facts: SampleFacts;
  readonly object: ObjectRef | null;
  /** How often its manifest was published; part of the next message id, so that the bus does not take a repetition for a duplicate. */
  readonly announcements: number;
}

export interface NewSample {
  readonly facts: SampleFacts;
  readonly picture: Uint8Array;
  /** What it is worth when some must go; see `sampleValue`. */
  readonly value: number;
  /** For the policy's limits: wall clock of the keeping. */
  readonly keptAtMs: number;
}

export type Appended = 'kept' | 'duplicate' | 'shed';
/** The first three are receipts of the collector; `damaged`: its bytes are not what was kept, and never were in the store. */
export type Settlement = 'accepted' | 'quarantined' | 'declined' | 'damaged';

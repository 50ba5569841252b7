import type { NodeReport, ObjectRef, PayloadOf } from '@edgeloop/contracts';
import type { GoldenVerdict } from '@edgeloop/model-package/reader';
import type { NodeState } from './domain/node-state.ts';
import type { Appended, NewSample, Settlement, SpooledSample } from './domain/spooled-sample.ts';
import type { GenerationError } from './inference/errors.ts';
import type { ServingModel } from './inference/generation.ts';

/** One picture from the camera. */
export interface Frame {
  /** The encoded picture, as it came. */
  readonly jpeg: Uint8Array;
  /** Milliseconds since 1970 by the node's clock. */
  readonly capturedAtMs: number;
  /** Grows by one with every frame of this source; a gap is a frame that could not be had. */
  readonly sequence: number;
}

/** Where frames come from. `next` is called by one reader at a time. */
export interface FrameSource {
  /** The next frame, waiting for it; undefined when the source has ended or the signal aborted. Never throws for a frame that could not be had. */
  next(signal: AbortSignal): Promise<Frame | undefined>;
  close(): Promise<void>;
}

/** A loaded model in a process of its own. */
export interface ModelProcess extends ServingModel {
  /** Runs the package's golden vectors through the path that frames take. */
  selfTest(signal?: AbortSignal): Promise<GoldenVerdict>;
  /** Resolves with the cause when the process is gone. */
  readonly ended: Promise<GenerationError>;
  stop(): Promise<void>;
}

/** @throws GenerationError, and the signal's reason */
export type StartModel = (modelDir: string, signal: AbortSignal) => Promise<ModelProcess>;

/** Short-lived GET links by repository path; a name without a link is not there. */
export interface RepositoryLinks {
  /** @throws StepFailedError `unreachable` when nobody can be asked. */
  links(): Promise<Readonly<Record<string, string>>>;
}

/** Where the node's state outlives the agent. */
export interface StateStore {
  /** Resolves when it cannot be lost any more. Throws when it could not be stored: what it was to record must not begin. */
  save(state: NodeState): Promise<void>;
}

export type Report = PayloadOf<typeof NodeReport>;

/** Reports until the bus has acknowledged them. */
export interface ReportQueue {
  /** The oldest first. */
  pending(limit: number): Report[];
  forget(sequence: number): void;
}

/** Where frames are kept. */
export interface SampleKeeper {
  /** `kept` is a promise: the frame leaves only by a receipt, or for one that is worth more. */
  append(sample: NewSample): Appended;
  /** Frames of the campaign that wait for their upload. */
  waiting(campaignId: string): number;
}

/** Kept frames on their way to the store. */
export interface UploadQueue {
  /** The most valuable first; none of the campaigns in `without`. */
  toUpload(limit: number, without: readonly string[]): SpooledSample[];
  /** Undefined when it was let go of meanwhile. */
  picture(sampleId: string): Uint8Array | undefined;
  markStored(sampleId: string, object: ObjectRef): void;
  /** It was refused: it waits aside, in nobody's way. */
  setAside(sampleId: string): void;
  /** All that wait aside are tried again. */
  takeUpAgain(): void;
  /** It takes no uploads any more: for each of its frames the collector's receipt is asked for; what it was told of before it is told again. */
  closeCampaign(campaignId: string): void;
  settle(sampleId: string, outcome: Settlement): boolean;
}

/** Frames that the collector has no receipt for yet, and that need no upload. */
export interface ReceiptQueue {
  /** In the store, announced to nobody; the most valuable first. */
  toAnnounce(limit: number): SpooledSample[];
  markAnnounced(sampleId: string): void;
  /** Those that were answered least often first. */
  toAskFor(limit: number): SpooledSample[];
  /**
   * The collector knows nothing of it (yet): after some such answers it is told again, and later the object is sent again. An unwanted one
   * goes back to those that wait for their upload.
   */
  countUnknown(sampleId: string): void;
  setAside(sampleId: string): void;
  /** False when it was settled before. */
  settle(sampleId: string, outcome: Settlement): boolean;
}

import type { GoldenVerdict } from '@edgeloop/model-package/reader';
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

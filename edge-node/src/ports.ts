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

import { sleep } from '@edgeloop/runtime';

/** Evenly spaced moments; one that was missed is not made up for. */
export class Pace {
  readonly #intervalMs: number;
  readonly #monotonicMs: () => number;
  #dueMs: number | undefined;

  constructor(framesPerSecond: number, monotonicMs: () => number) {
    this.#intervalMs = 1_000 / framesPerSecond;
    this.#monotonicMs = monotonicMs;
  }

  /** Resolves at the next moment, or when the signal aborts. */
  async next(signal: AbortSignal): Promise<void> {
    const now = this.#monotonicMs();
    this.#dueMs = Math.max(now, (this.#dueMs ?? now - this.#intervalMs) + this.#intervalMs);
    if (this.#dueMs > now) await sleep(this.#dueMs - now, signal);
  }
}

/** What sources need of the machine. */
export interface SourceClocks {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly monotonicMs: () => number;
}

/** Encoded bytes of one frame; a camera that sends more is not believed. */
export const FRAME_BYTES_MAX = 8 * 1_048_576;

/** Starts like a JPEG and is of a size that a camera sends. */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes.length > 3 && bytes.length <= FRAME_BYTES_MAX && bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

import { createHash } from 'node:crypto';
import type { Frame, FrameSource } from '../../ports.ts';
import { httpGet, takeBody } from '../http-body.ts';
import { FRAME_BYTES_MAX, isJpeg, Pace } from './pace.ts';
import type { SourceClocks } from './pace.ts';

export interface SnapshotSourceOptions {
  /** Address that answers a GET with the newest JPEG. */
  readonly url: string;
  readonly framesPerSecond: number;
  readonly clocks: SourceClocks;
  readonly timeoutMs?: number;
}

/** A camera that takes longer for one picture is asked again at the next interval. */
export const SNAPSHOT_TIMEOUT_MS = 5_000;

export interface SnapshotCounts {
  /** No answer, an error, or no JPEG. */
  readonly failed: number;
  /** The very bytes of the picture before: the camera has nothing newer, or is frozen. */
  readonly unchanged: number;
}

/** A camera's snapshot address, asked at most once per interval. */
export class SnapshotSource implements FrameSource {
  readonly #options: SnapshotSourceOptions;
  readonly #pace: Pace;
  #sequence = 0;
  #closed = false;
  #lastHash = '';
  #counts = { failed: 0, unchanged: 0 };

  constructor(options: SnapshotSourceOptions) {
    this.#options = options;
    this.#pace = new Pace(options.framesPerSecond, options.clocks.monotonicMs);
  }

  get counts(): SnapshotCounts {
    return { ...this.#counts };
  }

  async next(signal: AbortSignal): Promise<Frame | undefined> {
    for (;;) {
      await this.#pace.next(signal);
      if (this.#closed || signal.aborted) return undefined;
      const capturedAtMs = this.#options.clocks.now();
      const sequence = this.#sequence++;
      const jpeg = await this.#snapshot(signal);
      if (signal.aborted) return undefined;
      if (jpeg === undefined || !isJpeg(jpeg)) this.#counts.failed += 1;
      else if (this.#isUnchanged(jpeg)) this.#counts.unchanged += 1;
      else return { jpeg, capturedAtMs, sequence };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async #snapshot(signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { url, timeoutMs = SNAPSHOT_TIMEOUT_MS } = this.#options;
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      const response = await httpGet(url, { accept: 'image/jpeg' }, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      if (response.statusCode !== 200) {
        response.destroy();
        return undefined;
      }
      await takeBody(response, async (chunk) => {
        bytes += chunk.length;
        if (bytes > FRAME_BYTES_MAX) throw new RangeError(`the camera sent more than ${FRAME_BYTES_MAX} bytes`);
        chunks.push(chunk);
      });
      return Buffer.concat(chunks);
    } catch {
      return undefined;
    }
  }

  #isUnchanged(jpeg: Uint8Array): boolean {
    const hash = createHash('sha1').update(jpeg).digest('base64');
    const same = hash === this.#lastHash;
    this.#lastHash = hash;
    return same;
  }
}

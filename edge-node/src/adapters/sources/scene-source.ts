import type { Light, RenderRequest } from '@edgeloop/worksite';
import type { Frame, FrameSource } from '../../ports.ts';
import { Pace } from './pace.ts';
import type { SourceClocks } from './pace.ts';

export interface SceneSourceOptions {
  readonly seed: number;
  readonly camera: string;
  readonly light: Light;
  readonly framesPerSecond: number;
  readonly render: (request: RenderRequest) => Promise<{ readonly jpeg: Uint8Array }>;
  readonly clocks: SourceClocks;
}

/** A drawn worksite, moment after moment. */
export class SceneSource implements FrameSource {
  readonly #options: SceneSourceOptions;
  readonly #pace: Pace;
  #tick = 0;
  #closed = false;

  constructor(options: SceneSourceOptions) {
    this.#options = options;
    this.#pace = new Pace(options.framesPerSecond, options.clocks.monotonicMs);
  }

  async next(signal: AbortSignal): Promise<Frame | undefined> {
    await this.#pace.next(signal);
    if (this.#closed || signal.aborted) return undefined;
    const { seed, camera, light, render, clocks } = this.#options;
    const capturedAtMs = clocks.now();
    const tick = this.#tick++;
    const { jpeg } = await render({ seed, camera, light, tick });
    return { jpeg, capturedAtMs, sequence: tick };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}

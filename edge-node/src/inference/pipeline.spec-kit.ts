import type { Frame, FrameSource } from '../ports.ts';
import type { Inference, ServingModel } from './generation.ts';

/** A source of numbered frames that hands out as many as were offered. */
export class OfferedFrames implements FrameSource {
  readonly #offered: Frame[] = [];
  #wake: (() => void) | undefined;
  #sequence = 0;
  #ended = false;
  taken = 0;
  closed = false;

  offer(count: number): void {
    for (let i = 0; i < count; i++)
      this.#offered.push({ jpeg: Uint8Array.of(this.#sequence), capturedAtMs: 0, sequence: this.#sequence++ });
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async next(signal: AbortSignal): Promise<Frame | undefined> {
    signal.addEventListener('abort', () => this.#wake?.());
    while (this.#offered.length === 0 && !this.#ended && !signal.aborted) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (signal.aborted) return undefined;
    const frame = this.#offered.shift();
    if (frame !== undefined) this.taken++;
    return frame;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

interface Asked {
  readonly sequence: number;
  answer(): void;
  fail(error: Error): void;
}

/** A model that answers when told to. */
export class ToldModel implements ServingModel {
  readonly loaded;
  readonly asked: Asked[] = [];
  mostAtOnce = 0;
  #open = 0;

  constructor(version: string) {
    this.loaded = { digest: `sha256:${version}`, model: { name: 'told', version, classes: ['a'] }, loadMs: 0 };
  }

  infer(picture: Uint8Array): Promise<Inference> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#open);
    return new Promise<Inference>((resolve, reject) => {
      const close = () => this.#open--;
      this.asked.push({ sequence: picture[0]!, answer: () => (close(), resolve(nothingSeen)), fail: (error) => (close(), reject(error)) });
    });
  }
}

/** Answers at once. */
export class PromptModel extends ToldModel {
  override infer(picture: Uint8Array): Promise<Inference> {
    const answer = super.infer(picture);
    this.asked.at(-1)!.answer();
    return answer;
  }
}

const nothingSeen: Inference = {
  picture: { width: 1, height: 1 },
  boxes: [],
  candidates: { count: 0, maxScorePerClass: [0], perBand: [], malformed: 0 },
  stats: { brightness: 0, contrast: 0, sharpness: 0, hash: '0'.repeat(16) },
  timings: { pictureMs: 0, tensorMs: 0, modelMs: 0, boxesMs: 0 },
  latencyMs: 1,
};

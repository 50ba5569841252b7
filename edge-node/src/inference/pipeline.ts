import type { ScoreBand } from '@edgeloop/vision';
import type { Frame, FrameSource } from '../ports.ts';
import { FrameFailedError, GenerationStoppedError } from './errors.ts';
import type { GenerationError } from './errors.ts';
import type { Inference, ServingModel } from './generation.ts';
import { FRAME_ATTEMPTS_MAX, FRAMES_IN_FLIGHT_MAX, PIPELINE_DEPTH } from './limits.ts';
import type { LoadedModel } from './protocol.ts';

/** The one answer that every frame taken from the source gets. */
export type FrameOutcome =
  | { readonly ok: true; readonly frame: Frame; readonly by: LoadedModel; readonly inference: Inference }
  | { readonly ok: false; readonly frame: Frame; readonly error: GenerationError };

export interface PipelineOptions<Model extends ServingModel> {
  readonly source: FrameSource;
  /** Called with every outcome, one at a time, in the order of the frames; the next frame is not taken while `depth` wait here. */
  onOutcome(outcome: FrameOutcome): void | Promise<void>;
  /** The serving process is of no more use; frames wait until another is switched to. */
  onModelLost(model: Model, error: GenerationError): void;
  /** Score ranges to count candidates in, asked anew for every frame. */
  readonly bands?: () => readonly ScoreBand[];
  /** Frames under way. Default `PIPELINE_DEPTH`. */
  readonly depth?: number;
}

export interface PipelineCounts {
  /** Frames taken from the source. */
  readonly taken: number;
  readonly answered: number;
  /** Outcomes without an answer: unreadable pictures, frames that took two processes down, frames under way at `stop`. */
  readonly failed: number;
  /** Frames sent again because their process was lost. */
  readonly resent: number;
}

/**
 * Moves frames from the source through whichever model serves. Every frame taken gets exactly one outcome, whatever happens to
 * models meanwhile: a switch changes the model between two frames, and frames of a lost process are sent to the next one.
 */
export class FramePipeline<Model extends ServingModel> {
  readonly #options: PipelineOptions<Model>;
  readonly #stop = new AbortController();
  readonly #inFlight = new Map<ServingModel, number>();
  readonly #changed = new Signal();
  #serving: Model | undefined;
  #underWay = 0;
  #delivered: Promise<void> = Promise.resolve();
  #counts = { taken: 0, answered: 0, failed: 0, resent: 0 };
  #running: Promise<void> | undefined;

  constructor(options: PipelineOptions<Model>) {
    const { depth = PIPELINE_DEPTH } = options;
    if (!(depth >= 1 && depth <= FRAMES_IN_FLIGHT_MAX)) throw new RangeError(`depth ${depth}, expected 1 to ${FRAMES_IN_FLIGHT_MAX}`);
    this.#options = options;
  }

  get serving(): Model | undefined {
    return this.#serving;
  }

  get counts(): PipelineCounts {
    return { ...this.#counts };
  }

  /** Takes frames until the source ends or `stop`; resolves after the last outcome. Frames are taken only while a model serves. */
  run(): Promise<void> {
    this.#running ??= this.#takeFrames();
    return this.#running;
  }

  /**
   * The next frame goes to `model`. Resolves with the model that served before once it has answered its last frame: the caller
   * keeps it for going back, or stops it.
   */
  async switchTo(model: Model): Promise<Model | undefined> {
    const before = this.#serving;
    this.#serving = model;
    this.#changed.fire();
    if (before === undefined || before === model) return undefined;
    while (this.#inFlight.has(before)) await this.#changed.next();
    return before;
  }

  /** Takes no more frames, waits for those under way, closes the source. Frames that wait for a model fail. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#changed.fire();
    await this.#running;
    await this.#options.source.close();
  }

  async #takeFrames(): Promise<void> {
    const { source, depth = PIPELINE_DEPTH } = this.#options;
    for (;;) {
      while (!this.#stopped && (this.#underWay >= depth || this.#serving === undefined)) await this.#changed.next();
      if (this.#stopped) break;
      const frame = await source.next(this.#stop.signal);
      if (frame === undefined) break;
      this.#counts.taken++;
      this.#underWay++;
      this.#deliver(this.#answer(frame));
    }
    await this.#delivered;
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Chains the outcome behind those of earlier frames. */
  #deliver(outcome: Promise<FrameOutcome>): void {
    const before = this.#delivered;
    this.#delivered = (async () => {
      const [done] = await Promise.all([outcome, before]);
      this.#counts[done.ok ? 'answered' : 'failed']++;
      try {
        await this.#options.onOutcome(done);
      } finally {
        this.#underWay--;
        this.#changed.fire();
      }
    })();
    // A listener that throws is a fault of the program: `run` rejects with it, and no more frames are taken.
    this.#delivered.catch(() => {
      this.#stop.abort();
      this.#changed.fire();
    });
  }

  async #answer(frame: Frame): Promise<FrameOutcome> {
    for (let attempt = 1; ; attempt++) {
      const model = await this.#nextModel();
      if (model === undefined) return { ok: false, frame, error: new GenerationStoppedError() };
      try {
        const inference = await this.#infer(model, frame);
        return { ok: true, frame, by: model.loaded, inference };
      } catch (cause) {
        const error = cause as GenerationError;
        if (error instanceof FrameFailedError) return { ok: false, frame, error };
        this.#lose(model, error);
        if (attempt >= FRAME_ATTEMPTS_MAX) return { ok: false, frame, error };
        this.#counts.resent++;
      }
    }
  }

  async #nextModel(): Promise<Model | undefined> {
    while (this.#serving === undefined && !this.#stopped) await this.#changed.next();
    return this.#serving;
  }

  async #infer(model: Model, frame: Frame): Promise<Inference> {
    this.#inFlight.set(model, (this.#inFlight.get(model) ?? 0) + 1);
    try {
      return await model.infer(frame.jpeg, this.#options.bands?.() ?? []);
    } finally {
      const left = this.#inFlight.get(model)! - 1;
      if (left > 0) this.#inFlight.set(model, left);
      else this.#inFlight.delete(model);
      this.#changed.fire();
    }
  }

  /** Told once per model, however many of its frames fail, and not at all when another serves already. */
  #lose(model: Model, error: GenerationError): void {
    if (this.#serving !== model) return;
    this.#serving = undefined;
    this.#options.onModelLost(model, error);
  }
}

/** Wakes all who wait for the next change. */
class Signal {
  #waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  fire(): void {
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }
}

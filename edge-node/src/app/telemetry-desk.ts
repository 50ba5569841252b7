import type { RunningModel, TelemetryWindow } from '@edgeloop/contracts';
import { isoOf } from '@edgeloop/runtime';
import type { Clock } from '@edgeloop/runtime';
import { addError, addFrame, closeWindow, isAbout, openWindow } from '../domain/telemetry-window.ts';
import type { OpenWindow, SeenFrame, WindowModel } from '../domain/telemetry-window.ts';
import { Bell } from './repeat.ts';

export interface TelemetryDeskParts {
  readonly windowMs: number;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  /** Identity of the next window. */
  readonly identify: () => Pick<TelemetryWindow, 'nodeId' | 'epoch' | 'sequence'>;
  readonly send: (window: TelemetryWindow) => void;
}

/** Gathers frames into windows; another model begins another window. */
export class TelemetryDesk {
  readonly #parts: TelemetryDeskParts;
  #window: OpenWindow;
  #openedAtMs: number;
  #framesPerSecond = 0;

  constructor(parts: TelemetryDeskParts) {
    this.#parts = parts;
    this.#window = openWindow(parts.monotonicMs(), { releaseId: null, modelDigest: null });
    this.#openedAtMs = parts.clock.now();
  }

  /** Of the last window that was closed, or of the open one when it is the first. */
  get framesPerSecond(): number {
    const openMs = this.#parts.monotonicMs() - this.#window.fromMs;
    return this.#framesPerSecond > 0 || openMs <= 0 ? this.#framesPerSecond : (this.#window.frames * 1_000) / openMs;
  }

  answered(model: RunningModel | null, frame: SeenFrame): void {
    this.#turnTo(model);
    this.#window = addFrame(this.#window, frame);
  }

  failed(model: RunningModel | null): void {
    this.#turnTo(model);
    this.#window = addError(this.#window);
  }

  /** Closes a window per interval, also while no frame comes. */
  async run(signal: AbortSignal): Promise<void> {
    const never = new Bell();
    while (!signal.aborted) {
      const openMs = this.#parts.monotonicMs() - this.#window.fromMs;
      await never.wait(Math.max(1, this.#parts.windowMs - openMs), signal);
      if (signal.aborted || this.#parts.monotonicMs() - this.#window.fromMs >= this.#parts.windowMs) this.#close(this.#window.model);
    }
  }

  #turnTo(model: RunningModel | null): void {
    const about: WindowModel = { releaseId: model?.releaseId ?? null, modelDigest: model?.modelDigest ?? null };
    if (!isAbout(this.#window, about)) this.#close(about);
  }

  #close(next: WindowModel): void {
    const { clock, monotonicMs, identify, send } = this.#parts;
    const now = monotonicMs();
    const closed = closeWindow(this.#window, now);
    const from = isoOf(this.#openedAtMs);
    this.#framesPerSecond = closed?.framesPerSecond ?? 0;
    this.#window = openWindow(now, next);
    this.#openedAtMs = clock.now();
    if (closed !== undefined) send({ ...identify(), from, to: isoOf(this.#openedAtMs), ...closed });
  }
}

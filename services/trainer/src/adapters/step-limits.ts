export interface StepLimitsOptions {
  /** Longest time in all, ms. */
  readonly totalMs: number;
  /** Longest time without a word on standard output or error, ms; undefined: as long as it likes. */
  readonly quietMs?: number;
  /** Called once, when either is over. */
  readonly stop: () => void;
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

/** A timer takes no longer time than this; a step that may go on for longer is not limited by it. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Watches the clock for a step: it may not go on for too long, nor fall silent for too long. */
export class StepLimits {
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #quiet: NodeJS.Timeout | undefined;
  #broken: string | undefined;

  constructor({ totalMs, quietMs, stop }: StepLimitsOptions) {
    const limit = (ms: number, words: string): NodeJS.Timeout | undefined => {
      if (ms > TIMER_MS_MAX) return undefined;
      const timer = setTimeout(() => {
        if (this.#broken !== undefined) return;
        this.#broken = words;
        stop();
      }, ms);
      this.#timers.push(timer);
      return timer;
    };
    limit(totalMs, `took longer than its time limit of ${seconds(totalMs)}`);
    this.#quiet = quietMs === undefined ? undefined : limit(quietMs, `printed nothing for ${seconds(quietMs)} (its no-output-timeout)`);
  }

  /** Which limit was broken, in words; undefined: none. */
  get broken(): string | undefined {
    return this.#broken;
  }

  /** The step said something. */
  heard(): void {
    if (this.#broken === undefined) this.#quiet?.refresh();
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}

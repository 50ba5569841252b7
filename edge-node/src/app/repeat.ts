import { sleep } from '@edgeloop/runtime';

export interface Rhythm {
  readonly intervalMs: number;
  /** Each pause is longer or shorter by at most this share: nodes must not come all at once. */
  readonly jitter: number;
  readonly chance: () => number;
}

export function jittered({ intervalMs, jitter, chance }: Rhythm): number {
  return intervalMs * (1 + jitter * (2 * chance() - 1));
}

/** A bell that wakes whoever waits; rung while nobody waits, it wakes the next at once. */
export class Bell {
  #rung = new AbortController();

  ring(): void {
    this.#rung.abort();
  }

  /** Resolves when rung, after the time, or when the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    await sleep(ms, AbortSignal.any([this.#rung.signal, signal]));
    if (this.#rung.signal.aborted) this.#rung = new AbortController();
  }
}

import type { Logger } from '@edgeloop/runtime';

export interface ProveRightsParts {
  /** @throws an error with `retryable: true` when nothing could be proved now */
  readonly prove: () => Promise<unknown>;
  readonly log: Logger;
}

/** Upload rights are handed out only after it was proved that they are write-only. */
export class ProveRights {
  readonly #parts: ProveRightsParts;
  #proved = false;

  constructor(parts: ProveRightsParts) {
    this.#parts = parts;
  }

  get proved(): boolean {
    return this.#proved;
  }

  /** True when proved; false while the store is away. @throws what the proof found, when the rights are too wide */
  async tryNow(): Promise<boolean> {
    if (this.#proved) return true;
    try {
      await this.#parts.prove();
      this.#proved = true;
      this.#parts.log.info('upload rights are write-only');
    } catch (failure) {
      if ((failure as { retryable?: boolean }).retryable !== true) throw failure;
      this.#parts.log.warn({ err: failure }, 'the store is away: upload rights are not proved yet, none are handed out');
    }
    return this.#proved;
  }
}

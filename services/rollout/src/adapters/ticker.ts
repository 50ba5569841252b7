import { sleep } from '@edgeloop/runtime';

/** Calls the work again and again with a pause in between; one call at a time. */
export class Ticker {
  readonly #work: () => Promise<void>;
  readonly #pauseMs: number;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(work: () => Promise<void>, pauseMs: number) {
    this.#work = work;
    this.#pauseMs = pauseMs;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when the call that runs is done. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#work();
      await sleep(this.#pauseMs, this.#stopping.signal);
    }
  }
}

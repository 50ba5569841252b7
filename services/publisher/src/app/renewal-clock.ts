import type { Logger } from '@edgeloop/runtime';
import type { MetadataWriter } from './metadata-writer.ts';

/** Looks at the signatures now and then; a look that fails is told in the log, and the next one comes. */
export class RenewalClock {
  readonly #metadata: Pick<MetadataWriter, 'renew'>;
  readonly #everyMs: number;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #look: Promise<void> = Promise.resolve();

  constructor(metadata: Pick<MetadataWriter, 'renew'>, everyMs: number, log: Logger) {
    this.#metadata = metadata;
    this.#everyMs = everyMs;
    this.#log = log;
  }

  /** Looks at once: the program may have been off for weeks. */
  start(): void {
    this.#again();
    this.#timer = setInterval(() => this.#again(), this.#everyMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#look;
  }

  #again(): void {
    this.#look = this.#look.then(async () => {
      try {
        if (await this.#metadata.renew()) this.#log.info('signatures renewed');
      } catch (cause) {
        this.#log.error({ err: cause }, 'signatures could not be renewed; the next check tries again');
      }
    });
  }
}

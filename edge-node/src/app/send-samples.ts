import { isRetryable } from '@edgeloop/bus/node';
import type { NodeBus } from '@edgeloop/bus/node';
import { backoffMs } from '@edgeloop/runtime';
import type { Logger } from '@edgeloop/runtime';
import { errorText } from '../domain/error-text.ts';
import { Bell } from './repeat.ts';
import type { SettleSamples } from './settle-samples.ts';
import type { UploadSamples } from './upload-samples.ts';

export interface SendSamplesParts {
  readonly bus: Pick<NodeBus, 'onStatus'>;
  readonly uploads: Pick<UploadSamples, 'round'>;
  readonly receipts: Pick<SettleSamples, 'round'>;
  /** Whether anything is left to bring home. */
  readonly isEmpty: () => boolean;
  readonly pollMs: number;
  readonly chance: () => number;
  readonly log: Logger;
}

const IDLE_MS = 30_000;
const POLL_MAX_MS = 30_000;

/** Brings kept frames home: object, then manifest, then the collector's receipt; only then are they forgotten. */
export class SendSamples {
  readonly #parts: SendSamplesParts;
  readonly #bell = new Bell();
  #quietRounds = 0;

  constructor(parts: SendSamplesParts) {
    this.#parts = parts;
    parts.bus.onStatus((status) => {
      if (status.state === 'connected') this.ring();
    });
  }

  /** A frame was kept, or the bus is back. */
  ring(): void {
    this.#quietRounds = 0;
    this.#bell.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const moved = await this.#round(signal).catch((cause: unknown) => {
        if (isRetryable(cause)) this.#parts.log.debug({ why: errorText(cause) }, 'samples wait for the bus');
        else this.#parts.log.error({ err: cause }, 'samples could not be sent');
        return false;
      });
      this.#quietRounds = moved ? 0 : this.#quietRounds + 1;
      await this.#bell.wait(this.#pauseMs(), signal);
    }
  }

  #pauseMs(): number {
    const { isEmpty, pollMs, chance } = this.#parts;
    if (isEmpty()) return IDLE_MS;
    return this.#quietRounds === 0 ? pollMs : backoffMs(this.#quietRounds, { firstMs: pollMs, maxMs: POLL_MAX_MS }, chance());
  }

  /** True when anything moved on. */
  async #round(signal: AbortSignal): Promise<boolean> {
    const { uploads, receipts } = this.#parts;
    const uploaded = await uploads.round(signal);
    return (!signal.aborted && (await receipts.round(signal))) || uploaded;
  }
}

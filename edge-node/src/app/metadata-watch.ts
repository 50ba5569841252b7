import type { Clock, Logger } from '@edgeloop/runtime';
import { isoOf } from '@edgeloop/runtime';
import type { TufClient } from '@edgeloop/trust';
import { errorText } from '../domain/error-text.ts';
import type { RepositoryLinks } from '../ports.ts';
import { Bell, jittered } from './repeat.ts';
import type { Rhythm } from './repeat.ts';

export interface MetadataWatchParts {
  readonly tuf: Pick<TufClient, 'refresh' | 'trusted'>;
  readonly links: RepositoryLinks;
  readonly clock: Clock;
  readonly clockFloorMs: () => number;
  readonly rhythm: Rhythm;
  readonly log: Logger;
}

/** Keeps the signed metadata fresh, and knows since when it is not: a node that is kept from news must show. */
export class MetadataWatch {
  readonly #parts: MetadataWatchParts;
  #expiresMs: number | undefined;

  constructor(parts: MetadataWatchParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const never = new Bell();
    while (!signal.aborted) {
      await this.#refresh(signal).catch((cause: unknown) =>
        this.#parts.log.debug({ why: errorText(cause) }, 'metadata could not be refreshed'),
      );
      await this.#look();
      await never.wait(jittered(this.#parts.rhythm), signal);
    }
  }

  /** ISO 8601; null while the metadata is fresh, or there is none yet. */
  staleSince(): string | null {
    const { clock, clockFloorMs } = this.#parts;
    if (this.#expiresMs === undefined || Math.max(clock.now(), clockFloorMs()) <= this.#expiresMs) return null;
    return isoOf(this.#expiresMs);
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { tuf, links, clock, clockFloorMs } = this.#parts;
    await tuf.refresh(await links.links(), { now: clock.now(), clockFloor: clockFloorMs(), signal });
  }

  async #look(): Promise<void> {
    const { timestamp } = await this.#parts.tuf.trusted();
    const expires = timestamp === undefined ? Number.NaN : Date.parse(timestamp.expires);
    if (Number.isFinite(expires)) this.#expiresMs = expires;
  }
}

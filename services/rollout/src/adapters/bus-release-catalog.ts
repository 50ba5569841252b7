import type { Bus } from '@edgeloop/bus';
import { ReleasePublished, RolloutRelease } from '@edgeloop/contracts';
import type { ReleaseCatalog } from '../ports.ts';

/** What was published is in the stream: its own subject holds the facts of each release. */
export class BusReleaseCatalog implements ReleaseCatalog {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  async find(releaseId: string): Promise<RolloutRelease | undefined> {
    const published = await this.#bus.lastOf(ReleasePublished, { releaseId });
    return published === undefined ? undefined : RolloutRelease.parse(published.payload);
  }
}

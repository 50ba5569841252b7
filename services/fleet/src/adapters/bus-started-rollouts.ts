import type { Bus } from '@edgeloop/bus';
import { RolloutStarted } from '@edgeloop/contracts';
import type { StartedRollout, StartedRollouts } from '../ports.ts';

/** The start of each rollout is in the stream under its own subject. */
export class BusStartedRollouts implements StartedRollouts {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  async find(rolloutId: string): Promise<StartedRollout | undefined> {
    const started = await this.#bus.lastOf(RolloutStarted, { rolloutId });
    if (started === undefined) return undefined;
    const { release, selection } = started.payload;
    return { release, overAll: 'all' in selection };
  }
}

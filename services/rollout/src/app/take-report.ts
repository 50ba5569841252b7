import type { NodeReport, PayloadOf } from '@edgeloop/contracts';
import type { Clock, Logger } from '@edgeloop/runtime';
import type { Rollouts } from './rollouts.ts';

/** Bad news from a node counts at once; good news is believed when heartbeats show it. */
export class TakeReport {
  readonly #rollouts: Rollouts;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(rollouts: Rollouts, clock: Clock, log: Logger) {
    this.#rollouts = rollouts;
    this.#clock = clock;
    this.#log = log;
  }

  async reported(report: PayloadOf<typeof NodeReport>): Promise<void> {
    const { nodeId, rolloutId, releaseId, outcome, reason } = report;
    if (rolloutId === null || outcome === null || outcome === 'committed') return;
    const rollout = await this.#rollouts.find(rolloutId);
    if (rollout === undefined) return;
    const input = { type: 'reported', at: this.#clock.now(), nodeId, rolloutId, releaseId, outcome, reason } as const;
    if (await this.#rollouts.give(rollout, input))
      this.#log.warn({ nodeId, rolloutId, releaseId, outcome, reason }, 'a node could not take the release');
  }
}

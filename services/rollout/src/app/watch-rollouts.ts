import type { NodeView } from '@edgeloop/contracts';
import type { Clock, Logger } from '@edgeloop/runtime';
import { decide } from '../domain/decide.ts';
import { isOpen } from '../domain/rollout.ts';
import type { Rollout } from '../domain/rollout.ts';
import type { HealthLimits } from '../domain/sight.ts';
import type { Observation } from '../domain/watch-node.ts';
import type { Fleet } from '../ports.ts';
import type { BeginRollout } from './begin-rollout.ts';
import type { Field } from './field.ts';
import type { Rollouts } from './rollouts.ts';

/** What goes wrong again and again is said again after this long. */
const COMPLAINT_PAUSE_MS = 10_000;

interface Parts {
  readonly rollouts: Rollouts;
  readonly begin: BeginRollout;
  readonly fleet: Fleet;
  readonly field: Field;
  readonly limits: HealthLimits;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Looks at the open rollouts on a clock. Several replicas may look at the same time: what they write is decided again on
 * the newest revision. A look that finds nothing new writes nothing.
 */
export class WatchRollouts {
  readonly #parts: Parts;
  readonly #open = new Map<string, Rollout>();
  #complainedAt = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Keeps the copy of a rollout; the truth is the document. */
  changed(rolloutId: string, rollout: Rollout | undefined): void {
    if (rollout !== undefined && isOpen(rollout)) this.#open.set(rolloutId, rollout);
    else this.#open.delete(rolloutId);
  }

  /** One look at each open rollout; one that cannot be looked at does not keep the others from it. */
  async look(): Promise<void> {
    for (const rollout of Array.from(this.#open.values())) {
      try {
        await this.#lookAt(rollout);
      } catch (cause) {
        this.#complain(cause, rollout.rolloutId);
      }
    }
  }

  /** A service that is away is away for each look: one line now and then is enough. */
  #complain(cause: unknown, rolloutId: string): void {
    const { clock, log } = this.#parts;
    if (clock.now() - this.#complainedAt < COMPLAINT_PAUSE_MS) return;
    this.#complainedAt = clock.now();
    log.warn({ err: cause, rolloutId }, 'cannot look at the rollout now, trying again');
  }

  async #lookAt(rollout: Rollout): Promise<void> {
    const { rollouts, limits, clock, begin } = this.#parts;
    const observations = this.#observe(rollout, await this.#desiredOnTheWayBack(rollout));
    const input = { type: 'watch', now: clock.now(), limits, observations } as const;
    if (decide(rollout, input).length > 0) await rollouts.give(rollout, input);
    else if (rollout.status.kind === 'starting') await begin.begin(rollout.rolloutId);
  }

  /** Only while nodes come back: what the fleet service holds for them tells an old heartbeat from the way back. */
  async #desiredOnTheWayBack(rollout: Rollout): Promise<readonly NodeView[]> {
    const { fleet } = this.#parts;
    if (rollout.status.kind !== 'halting') return [];
    try {
      return await fleet.nodes(rollout.status.pending);
    } catch (cause) {
      this.#complain(cause, rollout.rolloutId);
      return [];
    }
  }

  #observe(rollout: Rollout, views: readonly NodeView[]): Map<string, Observation> {
    const { field } = this.#parts;
    const desired = new Map(views.map((view) => [view.nodeId, view.desired]));
    const found = new Map<string, Observation>();
    for (const nodeId of Object.keys(rollout.nodes)) {
      const sight = field.sightOf(nodeId);
      if (sight === undefined) continue;
      const seen = field.seenUnder(nodeId, rollout.release.releaseId);
      const held = desired.get(nodeId);
      found.set(nodeId, { sight, ...(seen === undefined ? {} : { seen }), ...(held === undefined ? {} : { desired: held }) });
    }
    return found;
  }
}

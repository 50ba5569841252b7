import type { Cause, Documents } from '@edgeloop/bus';
import { decide } from '../domain/decide.ts';
import type { RolloutInput } from '../domain/decide.ts';
import { isNewer } from '../domain/standing.ts';
import type { Rollout } from '../domain/rollout.ts';
import { settled } from './outputs.ts';

/** Cause of all that a rollout brings about: the message that started it. */
function causeOf(rollout: Pick<Rollout, 'origin'>): Cause | undefined {
  const { origin } = rollout;
  return origin === null ? undefined : { id: origin.id, correlationId: origin.correlationId, traceparent: origin.traceparent };
}

/** The rollouts, by revision: load -> decide -> save with outputs -> publish. */
export class Rollouts {
  readonly #documents: Documents<Rollout>;

  constructor(documents: Documents<Rollout>) {
    this.#documents = documents;
  }

  async find(rolloutId: string): Promise<Rollout | undefined> {
    return (await this.#documents.load(rolloutId))?.state;
  }

  /** Writes a new order down; one that is there already stays as it is. */
  async create(rollout: Rollout): Promise<void> {
    await this.#documents.update(rollout.rolloutId, (current) => (current === undefined ? { state: rollout } : undefined));
  }

  /** Resolves to true when the input changed something. */
  async give(rollout: Pick<Rollout, 'rolloutId' | 'origin'>, input: RolloutInput): Promise<boolean> {
    let changed = false;
    await this.#documents.update(
      rollout.rolloutId,
      (current) => {
        const events = current === undefined ? [] : decide(current, input);
        changed = events.length > 0;
        return current === undefined || !changed ? undefined : settled(current, events);
      },
      causeOf(rollout),
    );
    return changed;
  }

  async newestFirst(): Promise<Rollout[]> {
    const all: Rollout[] = [];
    for await (const { document } of this.#documents.entries()) all.push(document.state);
    return all.sort((a, b) => (isNewer(a, b) ? -1 : 1));
  }
}

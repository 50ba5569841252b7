import { Refusal } from '@edgeloop/bus';
import type { ReleasePublished, ReplyOf, RolloutRelease, AskStartRollout, ChannelName, RolloutStrategy } from '@edgeloop/contracts';
import { RolloutRelease as ReleaseFacts } from '@edgeloop/contracts';
import type { Clock, Logger } from '@edgeloop/runtime';
import { ordered } from '../domain/rollout.ts';
import type { Origin, Selection } from '../domain/rollout.ts';
import { selectedNodes, versionNumber } from '../domain/standing.ts';
import type { Fleet, IdSource, ReleaseCatalog } from '../ports.ts';
import type { Rollouts } from './rollouts.ts';

/** A release on this channel is rolled out by itself; without a channel none is. */
export interface AutoRollout {
  readonly channel: ChannelName | null;
  readonly strategy: RolloutStrategy;
}

interface Parts {
  readonly rollouts: Rollouts;
  readonly releases: ReleaseCatalog;
  readonly fleet: Fleet;
  readonly ids: IdSource;
  readonly auto: AutoRollout;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface HandOrder {
  readonly releaseId: string;
  readonly selection: Selection;
  readonly strategy?: RolloutStrategy | undefined;
  readonly reason: string;
}

/** Names asked for in a refusal. */
const NAMES_SAID_MAX = 10;

/** Writes down that a rollout is wanted; the clock takes it from there. */
export class OrderRollout {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The id follows from the release: telling it twice starts one rollout. */
  async published(release: ReleasePublished, origin: Origin): Promise<void> {
    const { auto, rollouts, clock, log } = this.#parts;
    if (release.channel !== auto.channel) return;
    const rolloutId = `auto-${release.releaseId}`;
    const newer = (await rollouts.newestFirst()).find(
      (other) => other.release.name === release.name && versionNumber(other.release.version) > versionNumber(release.version),
    );
    if (newer !== undefined) {
      log.info({ releaseId: release.releaseId, newer: newer.release.releaseId }, 'not rolled out by itself: a newer release was');
      return;
    }
    const facts: RolloutRelease = ReleaseFacts.parse(release);
    const reason = `${release.releaseId} was published on ${release.channel}`;
    await rollouts.create(
      ordered({ rolloutId, release: facts, selection: { all: true }, strategy: auto.strategy, reason, origin, at: clock.now() }),
    );
    log.info({ rolloutId, releaseId: release.releaseId }, 'rollout ordered');
  }

  async byHand(order: HandOrder, origin: Origin): Promise<ReplyOf<typeof AskStartRollout>> {
    const { rollouts, releases, ids, auto, clock } = this.#parts;
    const release = await releases.find(order.releaseId);
    if (release === undefined) {
      throw new Refusal('release-unknown', `no release ${order.releaseId} was published: "edgeloop releases" lists those that were`);
    }
    await this.#refuseStrangers(order.selection);
    const rolloutId = `hand-${order.releaseId}-${ids.next()}`;
    const { selection, reason } = order;
    await rollouts.create(
      ordered({ rolloutId, release, selection, strategy: order.strategy ?? auto.strategy, reason, origin, at: clock.now() }),
    );
    return { rolloutId };
  }

  async #refuseStrangers(selection: Selection): Promise<void> {
    if ('all' in selection) return;
    const enrolled = (await this.#parts.fleet.nodes(selection.nodeIds)).map(({ nodeId }) => nodeId);
    const known = new Set(selectedNodes(selection, enrolled));
    const strangers = selection.nodeIds.filter((nodeId) => !known.has(nodeId));
    if (strangers.length === 0) return;
    throw new Refusal(
      'node-unknown',
      `not enrolled: ${strangers.slice(0, NAMES_SAID_MAX).join(', ')}; "edgeloop nodes" lists those that are`,
    );
  }
}

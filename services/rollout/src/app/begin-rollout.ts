import type { NodeView, RolloutRelease } from '@edgeloop/contracts';
import type { Clock, Logger } from '@edgeloop/runtime';
import type { Candidate, Rollout } from '../domain/rollout.ts';
import { givesWay, plannedNodes, selectedNodes, standingOf } from '../domain/standing.ts';
import type { Fleet, ReleaseCatalog } from '../ports.ts';
import type { Field } from './field.ts';
import type { Rollouts } from './rollouts.ts';

interface Parts {
  readonly rollouts: Rollouts;
  readonly fleet: Fleet;
  readonly releases: ReleaseCatalog;
  readonly field: Field;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Takes an ordered rollout to its first wave. Each step can be done again after a crash: the older rollouts end before
 * the new one plans, so that it knows what they left behind, and it plans before it offers.
 */
export class BeginRollout {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async begin(rolloutId: string): Promise<void> {
    const { rollouts, fleet, clock } = this.#parts;
    const nodes = await fleet.nodes();
    const others = await rollouts.newestFirst();
    const rollout = others.find((other) => other.rolloutId === rolloutId);
    if (rollout?.status.kind !== 'starting') return;
    const enrolled = nodes.map(({ nodeId }) => nodeId);
    const winner = others.find((other) => givesWay(rollout, other, plannedNodes(other, enrolled)));
    if (winner !== undefined) {
      await rollouts.give(rollout, { type: 'supersede', by: winner.rolloutId, at: clock.now(), keeps: [] });
      return;
    }
    await this.#endOlder(rollout, others, plannedNodes(rollout, enrolled));
    await this.#plan(rollout, nodes);
  }

  async #endOlder(rollout: Rollout, others: readonly Rollout[], planned: readonly string[]): Promise<void> {
    const { rollouts, clock, log } = this.#parts;
    for (const older of others.filter((other) => givesWay(other, rollout, planned))) {
      const ended = await rollouts.give(older, { type: 'supersede', by: rollout.rolloutId, at: clock.now(), keeps: planned });
      if (ended) log.info({ rolloutId: older.rolloutId, by: rollout.rolloutId }, 'rollout superseded');
    }
  }

  async #plan(rollout: Rollout, nodes: readonly NodeView[]): Promise<void> {
    const { rollouts, clock, log } = this.#parts;
    const history = (await rollouts.newestFirst()).filter((other) => other.rolloutId !== rollout.rolloutId);
    const selected = new Set(
      selectedNodes(
        rollout.selection,
        nodes.map(({ nodeId }) => nodeId),
      ),
    );
    const candidates = nodes.filter(({ nodeId }) => selected.has(nodeId)).map((node) => this.#candidate(rollout, node, history));
    const releases = await this.#releasesOf(candidates, history);
    const known = candidates.map((candidate) => ({
      ...candidate,
      previous: candidate.previous !== null && releases[candidate.previous] ? candidate.previous : null,
    }));
    await rollouts.give(rollout, { type: 'begin', at: clock.now(), candidates: known, releases });
    log.info({ rolloutId: rollout.rolloutId, releaseId: rollout.release.releaseId, nodes: candidates.length }, 'rollout begun');
  }

  /** What rollouts left behind is known best by them; a node that none ever treated follows the fleet's proven release. */
  #candidate(rollout: Rollout, node: NodeView, history: readonly Rollout[]): Candidate {
    const { nodeId } = node;
    const standing = standingOf(nodeId, rollout.rolloutId, history) ?? { previous: node.desired.releaseId, exposed: false };
    return { nodeId, ...standing, baseline: this.#parts.field.seenUnder(nodeId, standing.previous) ?? null };
  }

  async #releasesOf(candidates: readonly Candidate[], history: readonly Rollout[]): Promise<Record<string, RolloutRelease>> {
    const found: Record<string, RolloutRelease> = {};
    for (const releaseId of new Set(candidates.flatMap(({ previous }) => (previous === null ? [] : [previous])))) {
      const release =
        history.find((rollout) => rollout.release.releaseId === releaseId)?.release ?? (await this.#parts.releases.find(releaseId));
      if (release === undefined)
        this.#parts.log.error({ releaseId }, 'a node runs a release that nobody published: it has no way back to it');
      else found[releaseId] = release;
    }
    return found;
  }
}

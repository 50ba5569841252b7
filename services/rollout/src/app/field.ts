import type { TelemetryWindow } from '@edgeloop/contracts';
import { look } from '../domain/sight.ts';
import type { Beat, Sight } from '../domain/sight.ts';
import { glanceOf, seenIn, withGlance } from '../domain/vision.ts';
import type { Glance, Seen } from '../domain/vision.ts';

/** Nodes kept in memory; the one heard of first goes when it is full. */
export const NODES_REMEMBERED_MAX = 20_000;
/** Releases per node whose windows are kept: the new one, its predecessor, and room for a change of mind. */
export const RELEASES_PER_NODE_MAX = 4;

function bounded<K, V>(map: Map<K, V>, max: number): void {
  const first = map.keys().next();
  if (map.size > max && first.done !== true) map.delete(first.value);
}

/** What heartbeats and telemetry show, in memory only: rebuilt by listening after a restart. */
export class Field {
  readonly #sights = new Map<string, Sight>();
  readonly #glances = new Map<string, Map<string, readonly Glance[]>>();

  heard(beat: Beat, receivedAt: number): void {
    this.#sights.set(beat.nodeId, look(this.#sights.get(beat.nodeId), beat, receivedAt));
    bounded(this.#sights, NODES_REMEMBERED_MAX);
  }

  watched(nodeId: string, windows: readonly TelemetryWindow[]): void {
    const byRelease = this.#glances.get(nodeId) ?? new Map<string, readonly Glance[]>();
    for (const window of windows) {
      if (window.releaseId === null) continue;
      byRelease.set(window.releaseId, withGlance(byRelease.get(window.releaseId) ?? [], glanceOf(window)));
      bounded(byRelease, RELEASES_PER_NODE_MAX);
    }
    this.#glances.set(nodeId, byRelease);
    bounded(this.#glances, NODES_REMEMBERED_MAX);
  }

  sightOf(nodeId: string): Sight | undefined {
    return this.#sights.get(nodeId);
  }

  seenUnder(nodeId: string, releaseId: string | null): Seen | undefined {
    const glances = releaseId === null ? undefined : this.#glances.get(nodeId)?.get(releaseId);
    return glances === undefined ? undefined : seenIn(glances);
  }
}

import type { NodeView } from '@edgeloop/contracts';
import { isoOf } from '@edgeloop/runtime';
import type { Clock, Logger } from '@edgeloop/runtime';
import type { Node } from '../domain/node.ts';
import { fellBack, isConnected, notice } from '../domain/presence.ts';
import type { Beat, Presence } from '../domain/presence.ts';

/** Nodes kept in memory; the one heard of first goes when it is full. */
export const NODES_REMEMBERED_MAX = 20_000;

/** Who is there and what runs: a copy of the documents beside what heartbeats show. Writes nothing. */
export class RollCall {
  readonly #nodes = new Map<string, Node>();
  readonly #presences = new Map<string, Presence>();
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  changed(nodeId: string, node: Node | undefined): void {
    if (node === undefined) this.#nodes.delete(nodeId);
    else this.#nodes.set(nodeId, node);
  }

  heard(beat: Beat): void {
    const before = this.#presences.get(beat.nodeId);
    const presence = notice(before, beat, this.#clock.now());
    this.#presences.set(beat.nodeId, presence);
    if (presence.duplicated && before?.duplicated !== true) {
      this.#log.error(
        { nodeId: beat.nodeId },
        'two machines speak as one node: was its card copied? Enroll one of them under a name of its own',
      );
    }
    const first = this.#presences.keys().next();
    if (this.#presences.size > NODES_REMEMBERED_MAX && first.done !== true) this.#presences.delete(first.value);
  }

  views(nodeIds: readonly string[] | undefined): NodeView[] {
    const wanted = nodeIds === undefined ? [...this.#nodes.values()] : nodeIds.flatMap((nodeId) => this.#nodes.get(nodeId) ?? []);
    return wanted.map((node) => this.#view(node));
  }

  #view(node: Node): NodeView {
    const presence = this.#presences.get(node.nodeId);
    const beat = presence?.beat;
    return {
      nodeId: node.nodeId,
      attributes: { ...node.attributes },
      enrolledAt: isoOf(node.enrolledAt),
      desired: { generation: node.generation, releaseId: node.release?.releaseId ?? null, campaignId: node.campaignId },
      reported: reportedOf(node, presence),
      running: beat?.running ?? null,
      phase: beat?.phase ?? 'idle',
      framesTotal: beat?.framesTotal ?? 0,
      framesPerSecond: beat?.framesPerSecond ?? 0,
      lastSeen: presence === undefined ? null : isoOf(presence.seenAt),
      connected: isConnected(presence, this.#clock.now()),
    };
  }
}

/** What the node said, unless heartbeats contradict it. */
function reportedOf(node: Node, presence: Presence | undefined): NodeView['reported'] {
  const { reported, release, generation } = node;
  const said = {
    releaseId: reported?.releaseId ?? null,
    generation: reported?.generation ?? 0,
    outcome: reported?.outcome ?? null,
    reason: reported?.reason ?? null,
  };
  if (presence?.duplicated === true) return { ...said, outcome: 'duplicate-identity', reason: 'two machines speak as this node' };
  const claims = release !== null && said.outcome === 'committed' && said.releaseId === release.releaseId;
  if (!claims || !fellBack(presence, { releaseId: release.releaseId, generation })) return said;
  return { ...said, outcome: 'fell-back', reason: `runs ${presence?.beat.running?.releaseId ?? 'nothing'}` };
}

import { Refusal } from '@edgeloop/bus';
import type { Desired, NodeSync, ReplyOf } from '@edgeloop/contracts';
import { isoOf } from '@edgeloop/runtime';
import type { Node } from '../domain/node.ts';
import type { AssignmentKey, ReleaseLinks } from '../ports.ts';
import type { Nodes } from './nodes.ts';

/** The same node always gives the same text: a desired state is signed again, never anew. */
export function desiredOf(node: Node): Desired {
  const { nodeId, generation, changedAt, release, policy, campaignId } = node;
  return { nodeId, generation, issuedAt: isoOf(changedAt), release, policy, campaignId };
}

/** Answers a node with its whole signed truth and links to what it may need to fetch. */
export class SyncNode {
  readonly #nodes: Nodes;
  readonly #key: AssignmentKey;
  readonly #links: ReleaseLinks;

  constructor(nodes: Nodes, key: AssignmentKey, links: ReleaseLinks) {
    this.#nodes = nodes;
    this.#key = key;
    this.#links = links;
  }

  async sync(nodeId: string): Promise<ReplyOf<typeof NodeSync>> {
    const node = await this.#nodes.find(nodeId);
    if (node === undefined) throw new Refusal('node-unknown', `${nodeId} is not enrolled here: enroll it again with a new join token`);
    const { links, expireAt } = await this.#links.linksFor(node.release, node.changedAt);
    return { desired: this.#key.sign(JSON.stringify(desiredOf(node))), links, linksExpireAt: isoOf(expireAt) };
  }
}

import { Refusal } from '@edgeloop/bus';
import type { Desired, NodeSync, ReplyOf } from '@edgeloop/contracts';
import { isoOf, sleep } from '@edgeloop/runtime';
import type { Clock, Logger } from '@edgeloop/runtime';
import type { Node } from '../domain/node.ts';
import type { AssignmentKey, ReleaseLinks, RepositoryLinks } from '../ports.ts';
import type { Nodes } from './nodes.ts';

/** The same node always gives the same text: a desired state is signed again, never anew. */
export function desiredOf(node: Node): Desired {
  const { nodeId, generation, changedAt, release, policy, campaignId } = node;
  return { nodeId, generation, issuedAt: isoOf(changedAt), release, policy, campaignId };
}

/** The store gets this long before a node is answered without links; well below the time that the node waits. */
export const LINKS_WAIT_MS = 2_500;

class LinksLateError extends Error {
  override readonly name = 'LinksLateError';
  readonly retryable = true;
  constructor() {
    super(`the store gave no links within ${LINKS_WAIT_MS} ms`);
  }
}

interface Parts {
  readonly nodes: Nodes;
  readonly key: AssignmentKey;
  readonly links: ReleaseLinks;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Answers a node with its whole signed truth and links to what it may need to fetch. */
export class SyncNode {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async sync(nodeId: string): Promise<ReplyOf<typeof NodeSync>> {
    const node = await this.#parts.nodes.find(nodeId);
    if (node === undefined) throw new Refusal('node-unknown', `${nodeId} is not enrolled here: enroll it again with a new join token`);
    const { links, expireAt } = await this.#linksFor(node);
    return { desired: this.#parts.key.sign(JSON.stringify(desiredOf(node))), links, linksExpireAt: isoOf(expireAt) };
  }

  /** The way back must not wait for the store: a node may have all it needs, and asks again for the links it misses. */
  async #linksFor(node: Node): Promise<RepositoryLinks> {
    const { links, clock, log } = this.#parts;
    const answered = new AbortController();
    const late = sleep(LINKS_WAIT_MS, answered.signal).then((): never => {
      throw new LinksLateError();
    });
    try {
      return await Promise.race([links.linksFor(node.release, node.changedAt), late]);
    } catch (cause) {
      log.warn({ err: cause, nodeId: node.nodeId }, 'the store is away: the node gets its desired state without links');
      return { links: {}, expireAt: clock.now() };
    } finally {
      answered.abort();
    }
  }
}

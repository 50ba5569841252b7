import type { Cause, Documents, Output } from '@edgeloop/bus';
import { NodeDesiredSet, NodeEnrolled } from '@edgeloop/contracts';
import { enrolled } from '../domain/node.ts';
import type { Identity, Node, Surroundings } from '../domain/node.ts';
import type { Bells } from '../ports.ts';

function desiredSet(node: Node): Output {
  const { nodeId, generation, release, campaignId, policy } = node;
  return {
    contract: NodeDesiredSet,
    payload: {
      nodeId,
      generation,
      releaseId: release?.releaseId ?? null,
      rolloutId: release?.rolloutId ?? null,
      campaignId,
      policyVersion: policy.version,
    },
    id: `${nodeId}.desired.${generation}`,
  };
}

function joined(node: Node): Output[] {
  const { nodeId, publicKey, attributes } = node;
  return [{ contract: NodeEnrolled, payload: { nodeId, publicKey, attributes }, id: `${nodeId}.enrolled` }, desiredSet(node)];
}

/** The nodes, by revision. A desired state is saved first; then the world hears of it, and last the node's bell rings. */
export class Nodes {
  readonly #documents: Documents<Node>;
  readonly #bells: Bells;

  constructor(documents: Documents<Node>, bells: Bells) {
    this.#documents = documents;
    this.#bells = bells;
  }

  async find(nodeId: string): Promise<Node | undefined> {
    return (await this.#documents.load(nodeId))?.state;
  }

  ids(): Promise<string[]> {
    return this.#documents.keys();
  }

  /** The node that holds the name afterwards: this one, or the one that had it before. */
  async enroll(identity: Identity, surroundings: Surroundings, cause: Cause): Promise<Node> {
    const fresh = enrolled(identity, surroundings);
    const held = await this.#documents.update(
      identity.nodeId,
      (current) => (current === undefined ? { state: fresh, outputs: joined(fresh) } : undefined),
      cause,
    );
    return held ?? fresh;
  }

  /** Applies a change (undefined: none). Resolves to undefined when there is no such node. */
  async change(nodeId: string, change: (node: Node) => Node | undefined, cause: Cause): Promise<Node | undefined> {
    let rang = false;
    const after = await this.#documents.update(
      nodeId,
      (current) => {
        const next = current === undefined ? undefined : change(current);
        rang = next !== undefined && next.generation !== current?.generation;
        return next === undefined ? undefined : { state: next, outputs: rang ? [desiredSet(next)] : [] };
      },
      cause,
    );
    if (rang) this.#bells.ring(nodeId);
    return after;
  }
}

import type { Cause, Documents } from '@edgeloop/bus';
import type { NodeEnroll, PayloadOf, ReplyOf, TrustAnchors } from '@edgeloop/contracts';
import type { Clock, Logger } from '@edgeloop/runtime';
import { judgeInvite, judgeName } from '../domain/invite.ts';
import type { Invite, JoinRequest, JoinVerdict } from '../domain/invite.ts';
import type { Node } from '../domain/node.ts';
import type { AssignmentKey, NodeRights, Secrets, TrustRoot } from '../ports.ts';
import type { Nodes } from './nodes.ts';
import type { StandingOrders } from './standing-orders.ts';

interface Parts {
  readonly invites: Documents<Invite>;
  readonly nodes: Nodes;
  readonly standing: StandingOrders;
  readonly trustRoot: TrustRoot;
  readonly assignmentKey: AssignmentKey;
  readonly rights: NodeRights;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Logger;
}

type Request = PayloadOf<typeof NodeEnroll>;
type Reply = ReplyOf<typeof NodeEnroll>;

function asReply(verdict: JoinVerdict & { kind: 'refused' }): Reply {
  return { enrolled: false, reason: verdict.reason, say: verdict.say };
}

/** Trades a token for an identity. Asking again with the same token and key gives the same answer: lost replies are harmless. */
export class EnrollNode {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async enroll(request: Request, cause: Cause): Promise<Reply> {
    const { nodes, secrets, log } = this.#parts;
    const trust = await this.#anchors();
    if (trust === undefined)
      return { enrolled: false, reason: 'not-ready', say: 'the publisher has not made its trust root yet: try again in a moment' };
    const join: JoinRequest = { nodeId: request.nodeId, publicKey: request.publicKey, secretHash: secrets.hash(request.secret) };
    const verdict = judgeName(await nodes.find(request.nodeId), join) ?? (await this.#use(request.inviteId, join, cause));
    if (verdict.kind === 'refused') {
      log.warn({ nodeId: request.nodeId, inviteId: request.inviteId, reason: verdict.reason }, 'a node was not let in');
      return asReply(verdict);
    }
    const node = await this.#identify(request, cause);
    const taken = judgeName(node, join);
    if (taken?.kind === 'refused') return asReply(taken);
    log.info({ nodeId: node.nodeId, inviteId: request.inviteId }, 'node enrolled');
    return { enrolled: true, nodeId: node.nodeId, userJwt: node.userJwt, trust };
  }

  async #anchors(): Promise<TrustAnchors | undefined> {
    const { trustRoot, assignmentKey } = this.#parts;
    const tufRoot = await trustRoot.read();
    if (tufRoot === undefined) return undefined;
    return { tufRoot, assignmentKeys: [{ keyId: assignmentKey.keyId, publicKey: assignmentKey.publicKey }] };
  }

  /** Marks the invite as used by this key; of two that race for it one wins. */
  async #use(inviteId: string, join: JoinRequest, cause: Cause): Promise<JoinVerdict> {
    const { invites, clock } = this.#parts;
    let verdict = judgeInvite(undefined, join, clock.now());
    await invites.update(
      inviteId,
      (current) => {
        verdict = judgeInvite(current, join, clock.now());
        return verdict.kind === 'joins' ? { state: verdict.invite } : undefined;
      },
      cause,
    );
    return verdict;
  }

  /** Aligned once more after it is written: what changed for the fleet in between reaches this node too. */
  async #identify(request: Request, cause: Cause): Promise<Node> {
    const { nodes, standing, rights } = this.#parts;
    const { nodeId, publicKey, inviteId, attributes } = request;
    const known = await nodes.find(nodeId);
    if (known !== undefined) return known;
    const identity = { nodeId, publicKey, inviteId, attributes, userJwt: await rights.mint(nodeId, publicKey) };
    const node = await nodes.enroll(identity, await standing.surroundingsOf(nodeId), cause);
    await standing.align(nodeId, cause);
    return node;
  }
}

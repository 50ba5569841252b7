/** A one-time right to join. Its secret is known to nobody but the holder of the token. */
export interface Invite {
  readonly inviteId: string;
  /** SHA-256 of the secret, hex. */
  readonly secretHash: string;
  readonly expiresAt: number;
  /** The node that it is for; null for any. */
  readonly nodeId: string | null;
  readonly usedBy: { readonly nodeId: string; readonly publicKey: string; readonly at: number } | null;
}

export interface JoinRequest {
  readonly nodeId: string;
  readonly publicKey: string;
  /** Hash of the secret that was shown. */
  readonly secretHash: string;
}

export type JoinRefusal = 'token-unknown' | 'token-used' | 'token-expired' | 'node-exists';

export type JoinVerdict =
  | { readonly kind: 'refused'; readonly reason: JoinRefusal; readonly say: string }
  /** Same token, same key, same name: the answer was lost, give it again. */
  | { readonly kind: 'again' }
  | { readonly kind: 'joins'; readonly invite: Invite };

function refused(reason: JoinRefusal, say: string): JoinVerdict {
  return { kind: 'refused', reason, say };
}

/** An unknown invite and a wrong secret get the same answer: it tells a guesser nothing. */
export function judgeInvite(invite: Invite | undefined, request: JoinRequest, now: number): JoinVerdict {
  const { nodeId, publicKey } = request;
  if (invite === undefined || invite.secretHash !== request.secretHash) {
    return refused('token-unknown', 'this join token is not known here: ask for a new one with "edgeloop nodes invite"');
  }
  if (invite.usedBy !== null) {
    const same = invite.usedBy.nodeId === nodeId && invite.usedBy.publicKey === publicKey;
    return same ? { kind: 'again' } : refused('token-used', `this join token was used by ${invite.usedBy.nodeId}: each node needs its own`);
  }
  if (now > invite.expiresAt)
    return refused('token-expired', 'this join token has expired: ask for a new one with "edgeloop nodes invite"');
  if (invite.nodeId !== null && invite.nodeId !== nodeId) {
    return refused('token-unknown', `this join token is for ${invite.nodeId}, not for ${nodeId}`);
  }
  return { kind: 'joins', invite: { ...invite, usedBy: { nodeId, publicKey, at: now } } };
}

/** A name belongs to the key that took it first. */
export function judgeName(known: { readonly publicKey: string } | undefined, request: JoinRequest): JoinVerdict | undefined {
  if (known === undefined || known.publicKey === request.publicKey) return undefined;
  return refused(
    'node-exists',
    `a node named ${request.nodeId} is enrolled with another key: join under another name (EDGELOOP_NODE_ID), or start the agent with the folder that holds the key of ${request.nodeId} (EDGELOOP_NODE_DIR)`,
  );
}

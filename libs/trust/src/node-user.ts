import { createUser, encodeUser, fmtCreds, fromPublic, fromSeed } from '@nats-io/jwt';

/** What the fleet service needs to let nodes in: a signing key of the NODES account and the account it signs for. */
export interface NodesSigningKey {
  /** Public key of the NODES account, `A…`. */
  readonly account: string;
  /** Seed of one of its signing keys, `SA…`. A secret. */
  readonly seed: string;
}

/** Largest message a node may send: a telemetry batch; bytes of frames go to the object store. */
export const NODE_PAYLOAD_BYTES_MAX = 262_144;
/** A node needs its inbox and its doorbell; the rest is room for a reconnect. */
export const NODE_SUBSCRIPTIONS_MAX = 16;
/** Inbox prefix of everybody who asks to be enrolled. Inboxes below it carry a random part. */
export const JOIN_INBOX_PREFIX = '_INBOX_join';

const NODE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The text is no signing key file. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError';
  readonly retryable = false;
}

/** A node id that could widen the node's rights: it becomes a token of subjects. */
export class NodeIdError extends Error {
  override readonly name = 'NodeIdError';
  readonly retryable = false;
  readonly nodeId: string;

  constructor(nodeId: string) {
    super(`"${nodeId}" cannot be a node id: 1 to 64 of A-Z, a-z, 0-9, _ and -, the first a letter or a digit`);
    this.nodeId = nodeId;
  }
}

/** Reads the text of the file that `EDGELOOP_NODES_SIGNING_SEED` names: JSON `{"account": "A…", "seed": "SA…"}`. */
export function parseNodesSigningKey(text: string): NodesSigningKey {
  try {
    const { account, seed } = JSON.parse(text) as NodesSigningKey;
    fromPublic(account);
    fromSeed(bytes(seed));
    return { account, seed };
  } catch (cause) {
    throw new SigningKeyError('not a signing key of the NODES account: want {"account": "A…", "seed": "SA…"}', { cause });
  }
}

/** Inbox prefix that a node must give to its client (`inboxPrefix`). */
export function nodeInboxPrefix(nodeId: string): string {
  return `_INBOX_${checkedNodeId(nodeId)}`;
}

/** What a node may do on the bus: say things about itself, hear answers and its doorbell. Nothing else. */
export function nodePermissions(nodeId: string): { publish: readonly string[]; subscribe: readonly string[] } {
  return { publish: [`node.v1.${checkedNodeId(nodeId)}.>`], subscribe: [`${nodeInboxPrefix(nodeId)}.>`, `bell.v1.${nodeId}`] };
}

export interface NodeUser {
  readonly nodeId: string;
  /** Public key that was made on the node, `U…`; its seed never leaves the node. */
  readonly publicKey: string;
  readonly signingKey: NodesSigningKey;
  /** Without it the right ends only by revocation. */
  readonly expiresAt?: Date;
}

/** The user JWT that lets exactly this key act as exactly this node. */
export function nodeUserJwt(user: NodeUser): Promise<string> {
  const { publish, subscribe } = nodePermissions(user.nodeId);
  return signedUser({ ...user, name: user.nodeId, publish, subscribe });
}

/** Credentials (client's creds file) that are good for one thing: to ask to be enrolled. */
export async function joinUserCreds(options: { readonly signingKey: NodesSigningKey; readonly expiresAt?: Date }): Promise<string> {
  const key = createUser();
  const jwt = await signedUser({
    name: 'join',
    publicKey: key.getPublicKey(),
    publish: ['enroll.v1.>'],
    subscribe: [`${JOIN_INBOX_PREFIX}.>`],
    ...options,
  });
  return credsText(jwt, new TextDecoder().decode(key.getSeed()));
}

/** The client's creds file for a user JWT and the seed of its key. */
export function credsText(jwt: string, seed: string): string {
  return new TextDecoder().decode(fmtCreds(jwt, fromSeed(bytes(seed))));
}

interface SignedUser {
  readonly name: string;
  readonly publicKey: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly signingKey: NodesSigningKey;
  readonly expiresAt?: Date;
}

function signedUser(user: SignedUser): Promise<string> {
  const exp = user.expiresAt === undefined ? undefined : Math.floor(user.expiresAt.getTime() / 1000);
  return encodeUser(
    user.name,
    fromPublic(user.publicKey),
    fromSeed(bytes(user.signingKey.seed)),
    {
      issuer_account: user.signingKey.account,
      pub: { allow: [...user.publish] },
      sub: { allow: [...user.subscribe] },
      subs: NODE_SUBSCRIPTIONS_MAX,
      payload: NODE_PAYLOAD_BYTES_MAX,
      data: -1,
    },
    exp === undefined ? {} : { exp },
  );
}

function checkedNodeId(nodeId: string): string {
  if (!NODE_ID.test(nodeId)) throw new NodeIdError(nodeId);
  return nodeId;
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

import { existsSync, readFileSync } from 'node:fs';
import { connectNode, isRetryable } from '@edgeloop/bus/node';
import type { NodeBus, NodeBusStatus } from '@edgeloop/bus/node';
import { NodeEnroll } from '@edgeloop/contracts';
import type { ReplyOf } from '@edgeloop/contracts';
import { backoffMs, sleep } from '@edgeloop/runtime';
import type { Logger } from '@edgeloop/runtime';
import { JOIN_INBOX_PREFIX } from '@edgeloop/trust/node-user';
import { fromSeed } from '@nats-io/nkeys';
import { z } from 'zod';
import { errorText } from '../domain/error-text.ts';
import type { Identity, IdentityFiles } from './identity.ts';

/** What the fleet service hands out once: base64url of this as JSON. */
const JoinToken = z.object({
  url: z.string().min(1),
  creds: z.string().refine(holdsCredentials),
  inviteId: z.string().min(1),
  secret: z.string().min(16),
});
export type JoinToken = z.output<typeof JoinToken>;

export class InvalidJoinTokenError extends Error {
  override readonly name = 'InvalidJoinTokenError';
  readonly retryable = false;
  constructor(why: string) {
    super(
      `the join token cannot be read, ${why}: give EDGELOOP_JOIN_TOKEN the first line that "edgeloop nodes invite" prints, or the path of a file with that line alone`,
    );
  }
}

/** The bus is there and does not let the token in; waiting changes nothing. */
export class JoinTokenRefusedError extends Error {
  override readonly name = 'JoinTokenRefusedError';
  readonly retryable = false;
  readonly url: string;
  constructor(url: string, reason: string) {
    super(`the bus at ${url} refuses this join token (${reason}): a new one is needed, made with "edgeloop nodes invite" beside that bus`);
    this.url = url;
  }
}

export class EnrollmentRefusedError extends Error {
  override readonly name = 'EnrollmentRefusedError';
  readonly retryable = false;
  readonly reason: string;
  constructor(reason: string, say: string) {
    super(`this node was not let in (${reason}): ${say}`);
    this.reason = reason;
  }
}

export interface EnrollmentRequest {
  readonly nodeId: string;
  readonly token: JoinToken;
  /** Wins over the address in the token. */
  readonly url: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly files: IdentityFiles;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const ASK_TIMEOUT_MS = 5_000;
const RETRY = { firstMs: 500, maxMs: 15_000 };
/** The words of a NATS server that knows nobody by these credentials. A slow one says "Authentication Timeout", which is none of them. */
const REFUSAL = /authorization violation|authentication (expired|revoked)/i;

/** The token itself, or what the file that it names holds. @throws InvalidJoinTokenError */
export function readJoinToken(given: string): JoinToken {
  const text = given.trim();
  if (!existsSync(text)) return parseJoinToken(text);
  try {
    return parseJoinToken(readFileSync(text, 'utf8'));
  } catch (cause) {
    throw cause instanceof InvalidJoinTokenError ? cause : new InvalidJoinTokenError(`${text} is no file that can be read`);
  }
}

/** White space around the token, and line breaks that a terminal put into it, do not count. @throws InvalidJoinTokenError */
export function parseJoinToken(text: string): JoinToken {
  const words = text.trim().split(/\s+/);
  try {
    return JoinToken.parse(JSON.parse(Buffer.from(words.join(''), 'base64url').toString('utf8')));
  } catch {
    if (words.length > 1) throw new InvalidJoinTokenError('there is other text around it');
    throw new InvalidJoinTokenError(
      /^[\w-]+$/.test(text.trim()) ? 'it is damaged or cut off' : 'this is neither one nor a file that is there',
    );
  }
}

function holdsCredentials(creds: string): boolean {
  const seed = /^SU[A-Z2-7]{40,}$/m.exec(creds)?.[0];
  if (seed === undefined || !/^[\w-]+\.[\w-]+\.[\w-]+$/m.test(creds)) return false;
  try {
    return fromSeed(new TextEncoder().encode(seed)).getPublicKey().startsWith('U');
  } catch {
    return false;
  }
}

/**
 * Trades the token for an identity; asks until it is answered. The answer is on the disk before it is used, and asking again with the
 * same token and key gives the same one. @throws JoinTokenRefusedError, EnrollmentRefusedError, and the signal's reason
 */
export async function enroll(request: EnrollmentRequest): Promise<Identity> {
  const { token, nodeId, files, log, signal } = request;
  const { publicKey } = await files.keys();
  const url = request.url ?? token.url;
  const bus = connectNode({ url, nodeId, creds: { text: token.creds }, inboxPrefix: JOIN_INBOX_PREFIX });
  try {
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted();
      const reply = await asked(bus, request, { publicKey, address: withoutUser(url) });
      if (reply?.enrolled === true) return await keep(reply, { url, publicKey, files });
      if (reply !== undefined && reply.reason !== 'not-ready') throw new EnrollmentRefusedError(reply.reason, reply.say);
      if (reply !== undefined) log.info({ attempt, say: reply.say }, 'not enrolled yet; asking again');
      await sleep(backoffMs(attempt, RETRY, Math.random()), signal);
    }
  } finally {
    await bus.close();
  }
}

type Reply = ReplyOf<typeof NodeEnroll>;

/** Undefined: nobody answered, and the log says who. */
async function asked(
  bus: NodeBus,
  { nodeId, attributes, log, token: { inviteId, secret } }: EnrollmentRequest,
  { publicKey, address }: { publicKey: string; address: string },
): Promise<Reply | undefined> {
  const status = await settledStatus(bus);
  if (status.state === 'away') {
    if (isRefusal(status)) throw new JoinTokenRefusedError(address, status.reason);
    log.warn({ url: address, why: status.reason }, 'the bus is away; asking again');
    return undefined;
  }
  try {
    return await bus.ask(NodeEnroll, { inviteId, secret, nodeId, publicKey, attributes }, { timeoutMs: ASK_TIMEOUT_MS });
  } catch (cause) {
    if (!isRetryable(cause)) throw cause;
    log.warn({ url: address, why: errorText(cause) }, 'the fleet service does not answer; asking again');
    return undefined;
  }
}

/** The status once the bus has let us in or refused to; else what it is when the time is over. */
async function settledStatus(bus: NodeBus): Promise<NodeBusStatus> {
  let stopListening = (): void => undefined;
  const refused = new Promise<void>((resolve) => {
    stopListening = bus.onStatus((status) => {
      if (isRefusal(status)) resolve();
    });
  });
  await Promise.race([bus.ready(ASK_TIMEOUT_MS), refused]);
  stopListening();
  return bus.status;
}

function isRefusal(status: NodeBusStatus): boolean {
  return status.state === 'away' && REFUSAL.test(status.reason);
}

/** An address may carry a name and a password, which no log line should. */
export function withoutUser(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}

async function keep(
  { nodeId, userJwt, trust }: Extract<Reply, { enrolled: true }>,
  { url, publicKey, files }: { url: string; publicKey: string; files: IdentityFiles },
): Promise<Identity> {
  const identity: Identity = { nodeId, url, publicKey, userJwt, trust };
  await files.save(identity);
  return identity;
}

import { connectNode, isRetryable } from '@edgeloop/bus/node';
import { NodeEnroll } from '@edgeloop/contracts';
import type { ReplyOf } from '@edgeloop/contracts';
import { backoffMs, sleep } from '@edgeloop/runtime';
import type { Logger } from '@edgeloop/runtime';
import { JOIN_INBOX_PREFIX } from '@edgeloop/trust/node-user';
import { z } from 'zod';
import { errorText } from '../domain/error-text.ts';
import type { Identity, IdentityFiles } from './identity.ts';

/** What the fleet service hands out once: base64url of this as JSON. */
const JoinToken = z.object({ url: z.string().min(1), creds: z.string().min(1), inviteId: z.string().min(1), secret: z.string().min(16) });
type JoinToken = z.output<typeof JoinToken>;

export class InvalidJoinTokenError extends Error {
  override readonly name = 'InvalidJoinTokenError';
  readonly retryable = false;
  constructor() {
    super('the join token cannot be read: copy the whole line that "edgeloop nodes invite" prints into EDGELOOP_JOIN_TOKEN');
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
  readonly token: string;
  /** Wins over the address in the token. */
  readonly url: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly files: IdentityFiles;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const ASK_TIMEOUT_MS = 5_000;
const RETRY = { firstMs: 500, maxMs: 15_000 };

export function parseJoinToken(text: string): JoinToken {
  try {
    return JoinToken.parse(JSON.parse(Buffer.from(text.trim(), 'base64url').toString('utf8')));
  } catch {
    throw new InvalidJoinTokenError();
  }
}

/**
 * Trades the token for an identity; asks until it is answered. The answer is on the disk before it is used, and asking again with the
 * same token and key gives the same one. @throws InvalidJoinTokenError, EnrollmentRefusedError, and the signal's reason
 */
export async function enroll(request: EnrollmentRequest): Promise<Identity> {
  const token = parseJoinToken(request.token);
  const { publicKey } = await request.files.keys();
  const url = request.url ?? token.url;
  const bus = connectNode({ url, nodeId: request.nodeId, creds: { text: token.creds }, inboxPrefix: JOIN_INBOX_PREFIX });
  try {
    for (let attempt = 0; ; attempt += 1) {
      request.signal.throwIfAborted();
      const reply = await asked(request, token, publicKey, () => bus);
      if (reply?.enrolled === true) return await keep(reply, { url, publicKey, files: request.files });
      if (reply !== undefined && reply.reason !== 'not-ready') throw new EnrollmentRefusedError(reply.reason, reply.say);
      request.log.info({ attempt, say: reply?.say }, 'not enrolled yet; asking again');
      await sleep(backoffMs(attempt, RETRY, Math.random()), request.signal);
    }
  } finally {
    await bus.close();
  }
}

type Reply = ReplyOf<typeof NodeEnroll>;

/** Undefined: nobody answered. */
async function asked(
  { nodeId, attributes, log }: EnrollmentRequest,
  { inviteId, secret }: JoinToken,
  publicKey: string,
  bus: () => ReturnType<typeof connectNode>,
): Promise<Reply | undefined> {
  try {
    await bus().ready(ASK_TIMEOUT_MS);
    return await bus().ask(NodeEnroll, { inviteId, secret, nodeId, publicKey, attributes }, { timeoutMs: ASK_TIMEOUT_MS });
  } catch (cause) {
    if (!isRetryable(cause)) throw cause;
    log.warn({ why: errorText(cause) }, 'the fleet service does not answer');
    return undefined;
  }
}

async function keep(
  { nodeId, userJwt, trust }: Extract<Reply, { enrolled: true }>,
  { url, publicKey, files }: { url: string; publicKey: string; files: IdentityFiles },
): Promise<Identity> {
  const identity: Identity = { nodeId, url, publicKey, userJwt, trust };
  await files.save(identity);
  return identity;
}

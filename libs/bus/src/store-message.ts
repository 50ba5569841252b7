import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/nats-core';
import {
  BusClosedError,
  ForbiddenSubjectError,
  MessageTooLargeError,
  nameOf,
  PublishRefusedError,
  PublishUnknownError,
  StreamUnavailableError,
} from './errors.ts';
import { HEADER } from './headers.ts';
import { PUBLISH_ATTEMPTS_MAX, PUBLISH_TIMEOUT_MS } from './limits.ts';
import { pauseAfter, untilReconnected } from './reconnection.ts';

/** A message for a stream. Its headers carry `Nats-Msg-Id`, so that sending it twice stores it once. */
export interface Storable {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs;
}

export interface StoreLimits {
  readonly timeoutMs?: number;
  readonly attemptsMax?: number;
}

/** The stream's receipt, or its refusal in the server's terms. */
export type StoreAnswer =
  | { readonly stored: true; readonly stream: string; readonly sequence: number; readonly duplicate: boolean }
  | { readonly stored: false; readonly errorCode: number; readonly status: number; readonly words: string };

/** The subject is taken in a stream that keeps one message a subject. */
export const SUBJECT_TAKEN = 10077;
export const WRONG_LAST_SEQUENCE = [10071, 10164];

/**
 * Publishes with a reply and waits for the stream's receipt: a plain request, so it works across accounts, without any right to
 * the JetStream API. Silence and temporary refusals are answered by sending the same message again.
 * @throws PublishUnknownError, StreamUnavailableError, ForbiddenSubjectError, MessageTooLargeError, BusClosedError
 */
export async function storeMessage(connection: NatsConnection, message: Storable, limits: StoreLimits = {}): Promise<StoreAnswer> {
  refuseTooLarge(connection, message);
  const attemptsMax = limits.attemptsMax ?? PUBLISH_ATTEMPTS_MAX;
  let sentOnce = false;
  let last: unknown;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (attempt > 0) await pauseAfter(last, attempt - 1);
    try {
      const receipt = connection.request(message.subject, message.data, requestOptions(message, limits));
      const answer = storeAnswerOf(await untilReconnected(connection, receipt));
      if (answer.stored || !isTemporary(answer)) return answer;
      last = new PublishRefusedError(message.subject, answer);
    } catch (cause) {
      throwIfFinal(cause, message.subject);
      last = cause;
    }
    sentOnce ||= !isNoResponder(last);
  }
  if (last instanceof PublishRefusedError) throw last;
  if (!sentOnce) throw new StreamUnavailableError(message.subject, last);
  throw new PublishUnknownError(message.subject, message.headers.get(HEADER.messageId), last);
}

function requestOptions(message: Storable, limits: StoreLimits): { timeout: number; headers: MsgHdrs } {
  return { timeout: limits.timeoutMs ?? PUBLISH_TIMEOUT_MS, headers: message.headers };
}

export function refuseTooLarge(connection: NatsConnection, message: { subject: string; data: Uint8Array }): void {
  const bytesMax = connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
  if (message.data.length > bytesMax) throw new MessageTooLargeError(message.subject, message.data.length, bytesMax);
}

/** Reads a PubAck: `{"stream":"LOOP","seq":7}` or `{"error":{"code":503,"err_code":10077,"description":"…"}}`. */
export function storeAnswerOf(reply: Msg): StoreAnswer {
  const ack = reply.json<{
    stream?: string;
    seq?: number;
    duplicate?: boolean;
    error?: { code?: number; err_code?: number; description?: string };
  }>();
  if (ack.error === undefined && typeof ack.stream === 'string') {
    return { stored: true, stream: ack.stream, sequence: ack.seq ?? 0, duplicate: ack.duplicate === true };
  }
  const { code = 500, err_code: errorCode = 0, description = 'no receipt of a stream' } = ack.error ?? {};
  return { stored: false, errorCode, status: code, words: description };
}

/** The server is there but cannot store right now (starting, electing, out of resources). */
function isTemporary(answer: { status: number; errorCode: number }): boolean {
  return answer.status >= 500 && answer.errorCode !== SUBJECT_TAKEN;
}

export function throwIfFinal(cause: unknown, subject: string): void {
  const names = [nameOf(cause), nameOf((cause as { cause?: unknown } | undefined)?.cause)];
  if (names.includes('ClosedConnectionError') || names.includes('DrainingConnectionError')) throw new BusClosedError(cause);
  if (names.includes('PermissionViolationError')) throw new ForbiddenSubjectError(subject, cause);
}

/** Nobody got the message at all. */
export function isNoResponder(cause: unknown): boolean {
  return nameOf(cause) === 'NoResponders' || nameOf((cause as { cause?: unknown } | undefined)?.cause) === 'NoResponders';
}

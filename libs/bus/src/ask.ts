import { type PayloadOf, type ReplyOf, type RequestContract, type SignalContract } from '@edgeloop/contracts';
import { type Msg, type MsgHdrs, type NatsConnection, nuid } from '@nats-io/nats-core';
import type { z } from 'zod';
import type { Cause } from './api.ts';
import { AskRefusedError, AskTimeoutError, nameOf, NoResponderError, UnreadableReplyError, wordsOf } from './errors.ts';
import { envelopeHeaders, HEADER, textOfHeader } from './headers.ts';
import { ASK_TIMEOUT_MS } from './limits.ts';
import { isNoResponder, refuseTooLarge, throwIfFinal } from './store-message.ts';
import { encodeMessage, problemsOf } from './wire.ts';

export interface AskOptions {
  readonly timeoutMs?: number;
  readonly cause?: Cause;
}

/** One question, one answer; see `Bus.ask`. Works on any connection, a node's too. */
export async function askOn<C extends RequestContract>(
  connection: NatsConnection,
  contract: C,
  payload: z.input<C['payload']>,
  options: AskOptions = {},
): Promise<ReplyOf<C>> {
  const { subject, data } = encodeMessage(contract, payload);
  refuseTooLarge(connection, { subject, data });
  const timeout = options.timeoutMs ?? ASK_TIMEOUT_MS;
  const headers = envelopeHeaders(contract, { id: `ask.${nuid.next()}`, cause: options.cause });
  const reply = await requestOnce(connection, { subject, data, headers, timeout });
  refuseIfRefused(subject, reply);
  return readReply(contract, subject, reply);
}

async function requestOnce(
  connection: NatsConnection,
  question: { subject: string; data: Uint8Array; headers: MsgHdrs; timeout: number },
): Promise<Msg> {
  const { subject, data, headers, timeout } = question;
  try {
    return await connection.request(subject, data, { timeout, headers });
  } catch (cause) {
    throwIfFinal(cause, subject);
    if (isNoResponder(cause)) throw new NoResponderError(subject, cause);
    if (nameOf(cause) === 'TimeoutError') throw new AskTimeoutError(subject, timeout, cause);
    throw new AskTimeoutError(subject, timeout, cause);
  }
}

function refuseIfRefused(subject: string, reply: Msg): void {
  const code = reply.headers?.get(HEADER.errorCode);
  if (code === undefined || code === '') return;
  const words = textOfHeader(reply.headers?.get(HEADER.errorWords) ?? code);
  throw new AskRefusedError(subject, { code, words, retryable: reply.headers?.get(HEADER.errorRetryable) === 'yes' });
}

function readReply<C extends RequestContract>(contract: C, subject: string, reply: Msg): ReplyOf<C> {
  let body: unknown;
  try {
    body = reply.json();
  } catch (cause) {
    throw new UnreadableReplyError(subject, `no JSON (${wordsOf(cause)})`);
  }
  const parsed = contract.reply.safeParse(body);
  if (!parsed.success) throw new UnreadableReplyError(subject, problemsOf(parsed.error).join('; '));
  return parsed.data as ReplyOf<C>;
}

/** Says it once to whoever listens; may be lost. Works on any connection. */
export function signalOn<C extends SignalContract>(connection: NatsConnection, contract: C, payload: PayloadOf<C>): void {
  const { subject, data } = encodeMessage(contract, payload);
  refuseTooLarge(connection, { subject, data });
  connection.publish(subject, data, { headers: envelopeHeaders(contract, { id: `signal.${nuid.next()}` }) });
}

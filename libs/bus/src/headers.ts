import { type Contract, typeId } from '@edgeloop/contracts';
import { headers, type MsgHdrs } from '@nats-io/nats-core';
import type { Cause } from './api.ts';
import { childTraceparent } from './trace-context.ts';

/** Names on the wire; case matters to the client library. */
export const HEADER = {
  /** Deduplication by the stream. */
  messageId: 'Nats-Msg-Id',
  expectedSubjectSequence: 'Nats-Expected-Last-Subject-Sequence',
  /** The message's own id where it differs from the deduplication id (a redriven letter). */
  id: 'Edgeloop-Id',
  type: 'Edgeloop-Type',
  correlationId: 'Edgeloop-Correlation-Id',
  causationId: 'Edgeloop-Causation-Id',
  sentAt: 'Edgeloop-Sent-At',
  traceparent: 'traceparent',
  errorCode: 'Edgeloop-Error-Code',
  errorWords: 'Edgeloop-Error-Words',
  errorRetryable: 'Edgeloop-Error-Retryable',
} as const;

export interface Envelope {
  readonly id: string;
  readonly cause?: Cause | undefined;
  readonly expectLastSubjectSequence?: number | undefined;
}

/** Headers of one message: who it is, what caused it, when it was sent. */
export function envelopeHeaders(contract: Contract, envelope: Envelope): MsgHdrs {
  const sent = headers();
  sent.set(HEADER.messageId, envelope.id);
  sent.set(HEADER.type, typeId(contract));
  sent.set(HEADER.correlationId, envelope.cause?.correlationId ?? envelope.id);
  if (envelope.cause !== undefined) sent.set(HEADER.causationId, envelope.cause.id);
  sent.set(HEADER.traceparent, childTraceparent(envelope.cause?.traceparent));
  sent.set(HEADER.sentAt, new Date().toISOString());
  if (envelope.expectLastSubjectSequence !== undefined) {
    sent.set(HEADER.expectedSubjectSequence, String(envelope.expectLastSubjectSequence));
  }
  return sent;
}

/** Header values cannot hold line breaks. */
export function headerText(words: string): string {
  return encodeURIComponent(words);
}

export function textOfHeader(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Single-valued view of the headers, for dead letters. */
export function headerRecord(given: MsgHdrs | undefined): Record<string, string> {
  const record: Record<string, string> = {};
  for (const key of given?.keys() ?? []) record[key] = given?.get(key) ?? '';
  return record;
}

export function headersOf(record: Readonly<Record<string, string>>): MsgHdrs {
  const made = headers();
  for (const [key, value] of Object.entries(record)) made.set(key, value);
  return made;
}

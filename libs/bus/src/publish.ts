import { type EventContract, type PayloadOf, STREAMS } from '@edgeloop/contracts';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { PublishOptions, PublishReceipt } from './api.ts';
import { PublishRefusedError, RevisionConflictError } from './errors.ts';
import { envelopeHeaders, HEADER } from './headers.ts';
import { readPatiently } from './reconnection.ts';
import { storeMessage, type StoreAnswer, SUBJECT_TAKEN, WRONG_LAST_SEQUENCE } from './store-message.ts';
import { encodeMessage } from './wire.ts';

const ONCE_PER_SUBJECT = new Set(STREAMS.filter((stream) => stream.oncePerSubject).map((stream) => stream.name));

/** Stores one event; see `Bus.publish`. */
export async function publishEvent<C extends EventContract>(
  bus: { connection: NatsConnection; streams: JetStreamManager },
  contract: C,
  payload: PayloadOf<C>,
  options: PublishOptions,
): Promise<PublishReceipt> {
  const { subject, data } = encodeMessage(contract, payload);
  const answer = await storeMessage(bus.connection, { subject, data, headers: envelopeHeaders(contract, options) });
  if (answer.stored) return { stream: contract.stream, sequence: answer.sequence, duplicate: answer.duplicate };
  const kept = await sequenceAlreadyThere(bus, { contract, subject, id: options.id }, answer);
  if (kept !== undefined) return { stream: contract.stream, sequence: kept, duplicate: true };
  if (WRONG_LAST_SEQUENCE.includes(answer.errorCode)) throw new RevisionConflictError(subject, options.expectLastSubjectSequence ?? 0);
  throw new PublishRefusedError(subject, answer);
}

/**
 * A refusal can mean that an earlier attempt won: the ledger holds the subject, or the last message of the subject is this very one
 * (its receipt was lost and the window of duplicate ids has passed).
 */
async function sequenceAlreadyThere(
  bus: { connection: NatsConnection; streams: JetStreamManager },
  message: { contract: EventContract; subject: string; id: string },
  refusal: StoreAnswer & { stored: false },
): Promise<number | undefined> {
  const conflict = WRONG_LAST_SEQUENCE.includes(refusal.errorCode);
  if (!conflict && refusal.errorCode !== SUBJECT_TAKEN) return undefined;
  const last = await readPatiently(bus.connection, () =>
    bus.streams.streams.getMessage(message.contract.stream, { last_by_subj: message.subject }),
  );
  if (last === null) return undefined;
  const ledger = ONCE_PER_SUBJECT.has(message.contract.stream);
  return ledger || last.header?.get(HEADER.messageId) === message.id ? last.seq : undefined;
}

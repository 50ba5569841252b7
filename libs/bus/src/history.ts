import { ALL_CONTRACTS, type EventContract, type PayloadOf, buildSubject, type StreamName, tokensOf, typeId } from '@edgeloop/contracts';
import type { Logger } from '@edgeloop/runtime';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { MsgHdrs, NatsConnection } from '@nats-io/nats-core';
import type { MessageContext } from './api.ts';
import { wordsOf } from './errors.ts';
import { ArrivalContext } from './message-context.ts';
import { readPatiently } from './reconnection.ts';
import { contractOf } from './routes.ts';
import { readStored } from './stored-messages.ts';
import { decodeMessage } from './wire.ts';

interface Stored {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs | undefined;
  readonly sequence: number;
}

/** Last message of a subject, from the stream's leader. */
export async function lastStored<C extends EventContract>(
  bus: { connection: NatsConnection; manager: JetStreamManager },
  contract: C,
  fields: Readonly<Record<string, string>>,
): Promise<{ payload: PayloadOf<C>; context: MessageContext } | undefined> {
  const subject = buildSubject(contract.subject, fields);
  const message = await readPatiently(bus.connection, () => bus.manager.streams.getMessage(contract.stream, { last_by_subj: subject }));
  if (message === null) return undefined;
  const stored = { subject, data: message.data, headers: message.header, sequence: message.seq };
  return { payload: decodeMessage(contract, subject, message.data), context: contextOf(contract, stored) };
}

const EVENTS = ALL_CONTRACTS.filter((contract) => contract.kind === 'event');

/** Stored events from the start, up to what is stored now. What cannot be read was dealt with by its consumers; it is skipped here. */
export async function* storedHistory(
  parts: { manager: JetStreamManager; log: Logger },
  stream: StreamName,
  filter: { subject?: string; fromSequence?: number } = {},
): AsyncGenerator<{ contract: EventContract; payload: unknown; context: MessageContext }> {
  const contracts = EVENTS.filter((contract) => contract.stream === stream);
  for await (const message of readStored(parts.manager, { stream, ...filter })) {
    const contract = contractOf(contracts, message.subject);
    if (contract === undefined) continue;
    let payload: unknown;
    try {
      payload = decodeMessage(contract, message.subject, message.data);
    } catch (cause) {
      parts.log.warn({ stream, sequence: message.seq, err: { message: wordsOf(cause) } }, 'stored event cannot be read, skipped');
      continue;
    }
    yield {
      contract,
      payload,
      context: contextOf(contract, { subject: message.subject, data: message.data, headers: message.headers, sequence: message.seq }),
    };
  }
}

function contextOf(contract: EventContract, stored: Stored): MessageContext {
  return new ArrivalContext({
    subject: stored.subject,
    tokens: tokensOf(contract, stored.subject) ?? {},
    typeId: typeId(contract),
    headers: stored.headers,
    stream: contract.stream,
    streamSequence: stored.sequence,
  });
}

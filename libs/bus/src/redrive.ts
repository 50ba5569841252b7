import { DeadLetter, patternOf, SUBJECT_TOKEN } from '@edgeloop/contracts';
import { jetstreamManager, type JetStreamManager, type JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Bus } from './api.ts';
import type { Original } from './delivery.ts';
import { PublishRefusedError, wordsOf } from './errors.ts';
import { HEADER, headersOf } from './headers.ts';
import { storeMessage } from './store-message.ts';
import { readStored } from './stored-messages.ts';
import { decodeMessage } from './wire.ts';

/**
 * A redriven letter travels in the DEAD stream, to the one consumer that failed on it. Publishing the original once more would not do:
 * a once-per-subject ledger refuses its subject for ever, its own id may still be in the window of duplicates, and every other
 * consumer of the subject would get the fact a second time.
 */
export function redriveSubject(service: string, stream: string): string {
  return `dead.v1.${service}.${stream}.again`;
}

export interface RedriveOptions {
  /** Only letters of this service. */
  readonly service?: string;
  readonly limit: number;
}

export interface RedriveReport {
  /** Letters handed to their consumers again. */
  readonly redriven: number;
  readonly failed: readonly { readonly sequence: number; readonly reason: string }[];
}

/**
 * Hands dead letters, oldest first, to the consumers that failed on them: same subject, headers and bytes, deliveries counted anew.
 * A letter leaves the stream only after its second life is stored; doing it twice hands a message over twice, which handlers bear.
 */
export async function redrive(bus: Pick<Bus, 'connection'>, options: RedriveOptions): Promise<RedriveReport> {
  const manager = await jetstreamManager(bus.connection, { checkAPI: false });
  const failed: { sequence: number; reason: string }[] = [];
  let redriven = 0;
  const subject = patternOf(DeadLetter).replace(
    '*',
    options.service !== undefined && SUBJECT_TOKEN.test(options.service) ? options.service : '*',
  );
  for await (const letter of readStored(manager, { stream: 'DEAD', subject })) {
    if (redriven + failed.length >= options.limit) break;
    try {
      await redriveOne(bus.connection, manager, letter);
      redriven++;
    } catch (cause) {
      failed.push({ sequence: letter.seq, reason: wordsOf(cause) });
    }
  }
  return { redriven, failed };
}

async function redriveOne(connection: NatsConnection, manager: JetStreamManager, letter: JsMsg): Promise<void> {
  const { service, stream } = decodeMessage(DeadLetter, letter.subject, letter.data);
  const subject = redriveSubject(service, stream);
  const answer = await storeMessage(connection, {
    subject,
    data: letter.data,
    headers: headersOf({ [HEADER.messageId]: `again.${letter.seq}` }),
  });
  if (!answer.stored) throw new PublishRefusedError(subject, answer);
  await manager.streams.deleteMessage('DEAD', letter.seq, false);
}

/** The message inside a redriven letter, as its consumer knows it; undefined when the letter is for another consumer of the service. */
export async function originalInLetter(manager: JetStreamManager, letter: JsMsg, durable: string): Promise<Original | undefined> {
  const subject = letter.subject.slice(0, letter.subject.lastIndexOf('.'));
  const { consumer, stream, streamSequence, subject: original, headers, data } = decodeMessage(DeadLetter, subject, letter.data);
  if (consumer !== durable) return undefined;
  return {
    subject: original,
    data: data === '' ? await storedBytes(manager, stream, streamSequence) : new Uint8Array(Buffer.from(data, 'base64')),
    headers: headersOf(headers),
    stream: stream as Original['stream'],
    sequence: streamSequence,
  };
}

/** Large originals are not copied into their letter. */
async function storedBytes(manager: JetStreamManager, stream: string, sequence: number): Promise<Uint8Array> {
  const stored = await manager.streams.getMessage(stream, { seq: sequence });
  return stored?.data ?? new Uint8Array();
}

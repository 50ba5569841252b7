import { ALL_CONTRACTS, type EventContract, type StateBucket, typeId } from '@edgeloop/contracts';
import { backoffMs, type Logger, sleep } from '@edgeloop/runtime';
import type { JetStreamManager, JsMsg } from '@nats-io/jetstream';
import { headers, type NatsConnection, nuid } from '@nats-io/nats-core';
import { z } from 'zod';
import type { Bus, Cause, Document, Documents, Output, Subscription } from './api.ts';
import { watchBucket } from './document-watch.ts';
import { InvalidKeyError, nameOf, PublishRefusedError, RevisionConflictError, UnreadableDocumentError, wordsOf } from './errors.ts';
import { HEADER } from './headers.ts';
import { CONFLICT_BACKOFF, CONFLICT_RETRIES_MAX } from './limits.ts';
import { bucketStream, bucketSubject } from './provision.ts';
import { readPatiently } from './reconnection.ts';
import { storeMessage, WRONG_LAST_SEQUENCE } from './store-message.ts';
import { readStored } from './stored-messages.ts';
import { encodeJson, encodeMessage, problemsOf } from './wire.ts';

const KEY = /^[-/=\w]+(\.[-/=\w]+)*$/;

/** A state with what it still has to say to the world, and why. */
const Stored = z.object({
  state: z.unknown(),
  outbox: z.array(z.object({ type: z.string(), id: z.string(), payload: z.unknown() })),
  cause: z.object({ id: z.string(), correlationId: z.string(), traceparent: z.string().optional() }).optional(),
});
type Stored = z.output<typeof Stored>;

export interface DocumentParts {
  readonly bus: Pick<Bus, 'publish'>;
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly log: Logger;
}

interface Entry {
  readonly stored: Stored;
  readonly revision: number;
}

const EVENTS = new Map(
  ALL_CONTRACTS.filter((contract) => contract.kind === 'event').map((contract) => [typeId(contract), contract as EventContract]),
);

/** See `Documents`. A revision is the bucket's stream sequence of the key. */
export class BucketDocuments<S> implements Documents<S> {
  readonly #parts: DocumentParts;
  readonly #bucket: StateBucket;
  readonly #schema: z.ZodType<S>;

  constructor(parts: DocumentParts, bucket: StateBucket, schema: z.ZodType<S>) {
    this.#parts = parts;
    this.#bucket = bucket;
    this.#schema = schema;
  }

  async load(key: string): Promise<Document<S> | undefined> {
    const entry = await this.#read(key);
    return entry === undefined ? undefined : this.#settled(key, entry);
  }

  async save(key: string, state: S, options: { revision?: number; outputs?: readonly Output[]; cause?: Cause }): Promise<Document<S>> {
    const parsed = this.#schema.safeParse(state);
    if (!parsed.success) throw new UnreadableDocumentError(this.#bucket, key, `not saved: ${problemsOf(parsed.error).join('; ')}`);
    const outbox = (options.outputs ?? []).map(checkedOutput);
    const stored: Stored = { state: parsed.data, outbox, ...(options.cause === undefined ? {} : { cause: plainCause(options.cause) }) };
    const revision = await this.#write(key, stored, options.revision ?? 0);
    return this.#settled(key, { stored, revision });
  }

  async update(
    key: string,
    decide: (current: S | undefined) => { state: S; outputs?: readonly Output[] } | undefined,
    cause?: Cause,
  ): Promise<S | undefined> {
    for (let attempt = 0; ; attempt++) {
      const current = await this.load(key);
      const decided = decide(current?.state);
      if (decided === undefined) return current?.state;
      try {
        return (await this.save(key, decided.state, { revision: current?.revision, outputs: decided.outputs, cause })).state;
      } catch (conflict) {
        if (nameOf(conflict) !== 'RevisionConflictError' || attempt >= CONFLICT_RETRIES_MAX) throw conflict;
        await sleep(backoffMs(attempt, CONFLICT_BACKOFF, Math.random()));
      }
    }
  }

  async keys(): Promise<string[]> {
    const found: string[] = [];
    for await (const message of this.#all()) if (!isRemoval(message)) found.push(this.#keyOf(message.subject));
    return found.toSorted();
  }

  async *entries(): AsyncIterable<{ key: string; document: Document<S> }> {
    for await (const message of this.#all()) {
      const document = this.#documentOf(message);
      if (document !== undefined) yield { key: this.#keyOf(message.subject), document };
    }
  }

  watch(onChange: (key: string, document: Document<S> | undefined) => void): Promise<Subscription> {
    return watchBucket(this.#parts, bucketStream(this.#bucket), (message) => {
      const key = this.#keyOf(message.subject);
      try {
        onChange(key, this.#documentOf(message));
      } catch (cause) {
        this.#parts.log.error(
          { bucket: this.#bucket, key, err: { name: nameOf(cause), message: wordsOf(cause) } },
          'change of a document could not be taken in',
        );
      }
    });
  }

  async resume(): Promise<number> {
    let published = 0;
    for await (const message of this.#all()) {
      if (isRemoval(message)) continue;
      const key = this.#keyOf(message.subject);
      const stored = this.#storedOf(key, message.data);
      published += stored.outbox.length;
      if (stored.outbox.length > 0) await this.#settled(key, { stored, revision: message.seq });
    }
    return published;
  }

  #all(): AsyncGenerator<JsMsg> {
    return readStored(this.#parts.manager, { stream: bucketStream(this.#bucket), lastPerSubject: true });
  }

  /** From the stream's leader: a decision must not rest on a replica that is behind. */
  async #read(key: string): Promise<Entry | undefined> {
    const { connection, manager } = this.#parts;
    const last_by_subj = this.#subject(key);
    const message = await readPatiently(connection, () => manager.streams.getMessage(bucketStream(this.#bucket), { last_by_subj }));
    if (message === null || isRemoval({ headers: message.header })) return undefined;
    return { stored: this.#storedOf(key, message.data), revision: message.seq };
  }

  /** Compare-and-set. The id is of this one write, so repeating it after a lost receipt cannot be taken for a conflict. */
  async #write(key: string, stored: Stored, revision: number): Promise<number> {
    const subject = this.#subject(key);
    const sent = headers();
    sent.set(HEADER.messageId, `${this.#bucket}.${key}.${revision}.${nuid.next()}`);
    sent.set(HEADER.expectedSubjectSequence, String(revision));
    const answer = await storeMessage(this.#parts.connection, { subject, data: encodeJson(stored), headers: sent });
    if (answer.stored) return answer.sequence;
    if (WRONG_LAST_SEQUENCE.includes(answer.errorCode)) throw new RevisionConflictError(`${this.#bucket}/${key}`, revision);
    throw new PublishRefusedError(subject, answer);
  }

  /** Publishes what the document still has to say, then clears it. Whoever comes first does it; ids are deterministic. */
  async #settled(key: string, entry: Entry): Promise<Document<S>> {
    const { stored, revision } = entry;
    if (stored.outbox.length === 0) return { state: this.#stateOf(key, stored.state), revision };
    for (const output of stored.outbox) {
      const contract = EVENTS.get(output.type);
      if (contract === undefined)
        throw new UnreadableDocumentError(this.#bucket, key, `it wants to publish ${output.type}, which this program does not know`);
      await this.#parts.bus.publish(contract, output.payload as never, { id: output.id, cause: stored.cause as Cause | undefined });
    }
    return this.#cleared(key, entry);
  }

  async #cleared(key: string, entry: Entry): Promise<Document<S>> {
    const state = this.#stateOf(key, entry.stored.state);
    try {
      return { state, revision: await this.#write(key, { state: entry.stored.state, outbox: [] }, entry.revision) };
    } catch (conflict) {
      if (nameOf(conflict) !== 'RevisionConflictError') throw conflict;
      return { state, revision: await this.#revisionIfCleared(key, entry) };
    }
  }

  /** Somebody else published and cleared the same outbox, or has gone on from it: then the old revision must lose. */
  async #revisionIfCleared(key: string, entry: Entry): Promise<number> {
    const now = await this.#read(key);
    const same =
      now !== undefined && now.stored.outbox.length === 0 && JSON.stringify(now.stored.state) === JSON.stringify(entry.stored.state);
    return same ? now.revision : entry.revision;
  }

  #documentOf(message: JsMsg): Document<S> | undefined {
    if (isRemoval(message)) return undefined;
    const key = this.#keyOf(message.subject);
    return { state: this.#stateOf(key, this.#storedOf(key, message.data).state), revision: message.seq };
  }

  #storedOf(key: string, data: Uint8Array): Stored {
    try {
      return Stored.parse(JSON.parse(new TextDecoder().decode(data)));
    } catch (cause) {
      throw new UnreadableDocumentError(this.#bucket, key, wordsOf(cause));
    }
  }

  #stateOf(key: string, state: unknown): S {
    const parsed = this.#schema.safeParse(state);
    if (parsed.success) return parsed.data;
    throw new UnreadableDocumentError(this.#bucket, key, problemsOf(parsed.error).join('; '));
  }

  #subject(key: string): string {
    if (!KEY.test(key)) throw new InvalidKeyError(this.#bucket, key);
    return bucketSubject(this.#bucket, key);
  }

  #keyOf(subject: string): string {
    return subject.slice(bucketSubject(this.#bucket, '').length);
  }
}

/** Refused before the state is saved: an output that could never be sent would block its document for ever. */
function checkedOutput(output: Output): Stored['outbox'][number] {
  encodeMessage(output.contract, output.payload);
  return { type: typeId(output.contract), id: output.id, payload: output.payload };
}

function plainCause(cause: Cause): Stored['cause'] {
  return {
    id: cause.id,
    correlationId: cause.correlationId,
    ...(cause.traceparent === undefined ? {} : { traceparent: cause.traceparent }),
  };
}

/** Written by other tools of the key-value protocol. */
function isRemoval(message: { headers: JsMsg['headers'] }): boolean {
  const operation = message.headers?.get('KV-Operation');
  return operation === 'DEL' || operation === 'PURGE';
}

import type { StreamName } from '@edgeloop/contracts';
import type { MsgHdrs } from '@nats-io/nats-core';
import type { MessageContext } from './api.ts';
import { HEADER } from './headers.ts';

export interface Arrival {
  readonly subject: string;
  readonly tokens: Readonly<Record<string, string>>;
  readonly typeId: string;
  /** May be a getter that decodes. */
  readonly headers: MsgHdrs | undefined;
  readonly stream?: StreamName;
  readonly streamSequence?: number;
  readonly deliveries?: number;
}

const NEVER = new AbortController().signal;

/** Reads headers only when somebody asks: most handlers need two fields, and decoding all of them costs as much as the body. */
export class ArrivalContext implements MessageContext {
  readonly #arrival: Arrival;
  #abort: AbortController | undefined;
  #aborted = false;

  constructor(arrival: Arrival) {
    this.#arrival = arrival;
  }

  get id(): string {
    return this.#header(HEADER.id) ?? this.#header(HEADER.messageId) ?? `${this.stream ?? this.subject}:${this.streamSequence}`;
  }
  get type(): string {
    return this.#header(HEADER.type) ?? this.#arrival.typeId;
  }
  get subject(): string {
    return this.#arrival.subject;
  }
  get tokens(): Readonly<Record<string, string>> {
    return this.#arrival.tokens;
  }
  get correlationId(): string {
    return this.#header(HEADER.correlationId) ?? this.id;
  }
  get causationId(): string | undefined {
    return this.#header(HEADER.causationId);
  }
  get traceparent(): string | undefined {
    return this.#header(HEADER.traceparent);
  }
  get sentAt(): string | undefined {
    return this.#header(HEADER.sentAt);
  }
  get stream(): StreamName | undefined {
    return this.#arrival.stream;
  }
  get streamSequence(): number {
    return this.#arrival.streamSequence ?? 0;
  }
  get deliveries(): number {
    return this.#arrival.deliveries ?? 1;
  }
  get signal(): AbortSignal {
    if (this.#arrival.stream === undefined) return NEVER;
    this.#abort ??= new AbortController();
    if (this.#aborted) this.#abort.abort();
    return this.#abort.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#abort?.abort();
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  #header(name: string): string | undefined {
    const value = this.#arrival.headers?.get(name);
    return value === undefined || value === '' ? undefined : value;
  }
}

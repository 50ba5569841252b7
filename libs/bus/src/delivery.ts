import type { StreamName } from '@edgeloop/contracts';
import type { JsMsg } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/nats-core';
import { HEADER } from './headers.ts';
import { type Arrival, ArrivalContext } from './message-context.ts';
import type { Route } from './routes.ts';

/** The message as its sender stored it; differs from the delivered one when a dead letter is redriven. */
export interface Original {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs | undefined;
  readonly stream: StreamName;
  readonly sequence: number;
}

/** One message held by this process, from its arrival to its settlement. */
export class Delivery implements Arrival {
  readonly original: Original;
  readonly route: Route | undefined;
  readonly context: ArrivalContext;
  readonly sequence: number;
  readonly deliveries: number;
  /** The stream it was delivered from: `DEAD` for a redriven letter. */
  readonly deliveredFrom: string;
  /** Set when the consumer computes it from the context. */
  key = '';
  /** Milliseconds since 1970 when its handler started; undefined while it waits. */
  startedAt: number | undefined;
  /** The lease is given up: another delivery of this message may run elsewhere, so this one must not be settled as handled. */
  leaseLost = false;
  readonly #message: JsMsg;

  constructor(message: JsMsg, original: Original, route: Route | undefined) {
    this.#message = message;
    this.original = original;
    this.route = route;
    const { stream, streamSequence, deliveryCount } = message.info;
    this.deliveredFrom = stream;
    this.sequence = streamSequence;
    this.deliveries = deliveryCount;
    this.context = new ArrivalContext(this);
  }

  get subject(): string {
    return this.original.subject;
  }
  get tokens(): Readonly<Record<string, string>> {
    return this.route?.tokens ?? {};
  }
  get typeId(): string {
    return this.route?.typeId ?? '';
  }
  /** The sender's word for what it sent. */
  get sentType(): string | undefined {
    return this.original.headers?.get(HEADER.type);
  }
  get headers(): MsgHdrs | undefined {
    return this.original.headers;
  }
  get stream(): StreamName {
    return this.original.stream;
  }
  get streamSequence(): number {
    return this.original.sequence;
  }

  ack(): void {
    this.#send(() => this.#message.ack());
  }
  nak(delayMs: number): void {
    this.#send(() => this.#message.nak(delayMs === 0 ? undefined : delayMs));
  }
  term(reason: string): void {
    this.#send(() => this.#message.term(reason));
  }
  working(): void {
    this.#send(() => this.#message.working());
  }

  /** A settlement that cannot be sent (the connection is closed) is a redelivery, which every handler must bear anyway. */
  #send(settle: () => void): void {
    try {
      settle();
    } catch {
      this.leaseLost = true;
    }
  }
}

/**
 * A message delivered straight from its stream. Headers stay encoded until somebody reads them. A class and not a literal with a getter:
 * each such literal would get a hidden class of its own, which keeps the message alive until a full garbage collection.
 */
export class DeliveredOriginal implements Original {
  readonly #message: JsMsg;
  readonly subject: string;
  readonly stream: StreamName;

  constructor(message: JsMsg, stream: StreamName) {
    this.#message = message;
    this.subject = message.subject;
    this.stream = stream;
  }

  get data(): Uint8Array {
    return this.#message.data;
  }
  get headers(): MsgHdrs | undefined {
    return this.#message.headers;
  }
  get sequence(): number {
    return this.#message.seq;
  }
}

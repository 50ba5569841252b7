import type { EventContract, PayloadOf, ReplyOf, RequestContract, SignalContract, StateBucket, StreamName } from '@edgeloop/contracts';
import { createLogger, type Logger } from '@edgeloop/runtime';
import { jetstream, type JetStreamClient, jetstreamManager, type JetStreamManager, type JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import type {
  Bus,
  ConnectOptions,
  ConsumeOptions,
  Documents,
  MessageContext,
  PublishOptions,
  PublishReceipt,
  RequestHandler,
  SignalHandler,
  Subscription,
} from './api.ts';
import { askOn, type AskOptions, signalOn } from './ask.ts';
import { connectNats } from './connect.ts';
import { Handling } from './consume.ts';
import type { PublishEvent } from './dead-letter.ts';
import { BucketDocuments } from './documents.ts';
import { wordsOf } from './errors.ts';
import { lastStored, storedHistory } from './history.ts';
import { ACK_PENDING_PER_HANDLER, CONCURRENCY } from './limits.ts';
import { listenForSignals, respondTo } from './listen.ts';
import { openIntake } from './open-intake.ts';
import { provisionStreams } from './provision.ts';
import { publishEvent } from './publish.ts';
import { originalInLetter, redriveSubject } from './redrive.ts';

/** Connects a service to the bus; the connection comes back by itself for ever. @throws ConnectError */
export async function connectBus(options: ConnectOptions): Promise<Bus> {
  const connection = await connectNats(options);
  const log = options.log ?? createLogger(options.service);
  const manager = await jetstreamManager(connection, { checkAPI: false });
  return new JetStreamBus({ connection, service: options.service, log, manager, client: jetstream(connection) });
}

interface BusParts {
  readonly connection: NatsConnection;
  readonly service: string;
  readonly log: Logger;
  readonly manager: JetStreamManager;
  readonly client: JetStreamClient;
}

class JetStreamBus implements Bus {
  readonly connection: NatsConnection;
  readonly service: string;
  readonly #parts: BusParts;
  readonly #subscriptions = new Set<Subscription>();
  #drained: Promise<void> | undefined;

  constructor(parts: BusParts) {
    this.#parts = parts;
    this.connection = parts.connection;
    this.service = parts.service;
    void this.#reportStatus();
  }

  provision(): Promise<void> {
    return provisionStreams(this.connection, this.#parts.manager);
  }

  publish<C extends EventContract>(contract: C, payload: PayloadOf<C>, options: PublishOptions): Promise<PublishReceipt> {
    return publishEvent({ connection: this.connection, streams: this.#parts.manager }, contract, payload, options);
  }

  signal<C extends SignalContract>(contract: C, payload: PayloadOf<C>): void {
    signalOn(this.connection, contract, payload);
  }

  ask<C extends RequestContract>(contract: C, payload: z.input<C['payload']>, options?: AskOptions): Promise<ReplyOf<C>> {
    return askOn(this.connection, contract, payload, options);
  }

  async consume(options: ConsumeOptions): Promise<Subscription> {
    const origin = { service: this.service, durable: options.durable };
    const publish: PublishEvent = (contract, payload, given) => this.publish(contract, payload, given);
    const handling = new Handling(options, { origin, publish, log: this.#parts.log });
    const ackPendingMax = options.ackPendingMax ?? (options.concurrency ?? CONCURRENCY) * ACK_PENDING_PER_HANDLER;
    const { durable, stream, startFrom = 'all', ackWaitMs } = options;
    const filters = handling.routes.patterns;
    handling.feedFrom(await openIntake(this.#parts, { stream, durable, filters, ackPendingMax, startFrom, ackWaitMs }, handling.arrive));
    await this.#consumeRedriven(handling, options, ackPendingMax);
    return this.#kept(handling);
  }

  onSignal<C extends SignalContract>(contract: C, handler: SignalHandler<C>): Subscription {
    return this.#kept(listenForSignals(this.#parts, contract, handler));
  }

  onRequest<C extends RequestContract>(contract: C, handler: RequestHandler<C>): Subscription {
    return this.#kept(respondTo(this.#parts, contract, handler));
  }

  documents<S>(bucket: StateBucket, schema: z.ZodType<S>): Promise<Documents<S>> {
    return Promise.resolve(new BucketDocuments({ bus: this, ...this.#parts }, bucket, schema));
  }

  lastOf<C extends EventContract>(
    contract: C,
    fields: Readonly<Record<string, string>>,
  ): Promise<{ payload: PayloadOf<C>; context: MessageContext } | undefined> {
    return lastStored(this.#parts, contract, fields);
  }

  history(
    stream: StreamName,
    filter?: { subject?: string; fromSequence?: number },
  ): AsyncIterable<{ contract: EventContract; payload: unknown; context: MessageContext }> {
    return storedHistory(this.#parts, stream, filter);
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Letters of this consumer that were redriven; see `redriveSubject`. */
  async #consumeRedriven(handling: Handling, options: ConsumeOptions, ackPendingMax: number): Promise<void> {
    const consumer = {
      stream: 'DEAD',
      durable: `${options.durable}-again`,
      filters: [redriveSubject(this.service, options.stream)],
      ackPendingMax,
      startFrom: 'all',
    } as const;
    handling.feedFrom(await openIntake(this.#parts, consumer, (letter) => void this.#takeLetter(handling, options.durable, letter)));
  }

  async #takeLetter(handling: Handling, durable: string, letter: JsMsg): Promise<void> {
    try {
      const original = await originalInLetter(this.#parts.manager, letter, durable);
      if (original === undefined) letter.ack();
      else handling.take(letter, original);
    } catch (cause) {
      this.#parts.log.warn({ durable, sequence: letter.seq, err: { message: wordsOf(cause) } }, 'redriven letter cannot be read');
      letter.term('unreadable letter');
    }
  }

  #kept<T extends Subscription>(subscription: T): Subscription {
    this.#subscriptions.add(subscription);
    return {
      drain: async () => {
        await subscription.drain();
        this.#subscriptions.delete(subscription);
      },
    };
  }

  async #drain(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.drain()));
    await this.connection.drain().catch(() => undefined);
  }

  async #reportStatus(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect' || status.type === 'reconnect' || status.type === 'error')
        this.#parts.log.warn({ status: status.type }, 'bus connection');
    }
  }
}

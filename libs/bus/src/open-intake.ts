import { backoffMs, type Logger, sleep } from '@edgeloop/runtime';
import type { ConsumerMessages, JetStreamClient, JetStreamManager, JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Intake } from './consume.ts';
import { type DurableConsumer, ensureConsumer } from './durable-consumer.ts';
import { wordsOf } from './errors.ts';
import { CONSUMER_AUDIT_MS, PULL_EXPIRES_MS, REOPEN_BACKOFF } from './limits.ts';

export interface IntakeParts {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly log: Logger;
}

/** Messages asked for at once, at most; the server's own bound is `ackPendingMax`. */
const PULL_MESSAGES_MAX = 500;

/**
 * Opens a durable consumer and keeps it open: over restarts of the server, and when the consumer was deleted under us.
 * Messages are pushed to a callback: half the cost of an iterator.
 */
export async function openIntake(parts: IntakeParts, consumer: DurableConsumer, arrive: (message: JsMsg) => void): Promise<Intake> {
  const intake = new LastingIntake(parts, consumer, arrive);
  await intake.open();
  return intake;
}

class LastingIntake implements Intake {
  readonly #parts: IntakeParts;
  readonly #consumer: DurableConsumer;
  readonly #arrive: (message: JsMsg) => void;
  #messages: ConsumerMessages | undefined;
  #closing = false;
  #audit: NodeJS.Timeout | undefined;

  constructor(parts: IntakeParts, consumer: DurableConsumer, arrive: (message: JsMsg) => void) {
    this.#parts = parts;
    this.#consumer = consumer;
    this.#arrive = arrive;
  }

  async open(): Promise<void> {
    await this.#start();
    this.#audit = setInterval(() => void this.#ensure(), CONSUMER_AUDIT_MS);
    this.#audit.unref();
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#audit);
    if (this.#messages !== undefined) await drainIntake(this.#messages);
  }

  async #start(): Promise<void> {
    await this.#checked();
    const { stream, durable, ackPendingMax } = this.#consumer;
    const consumer = await this.#parts.client.consumers.get(stream, durable);
    const messages = await consumer.consume({
      max_messages: Math.min(ackPendingMax, PULL_MESSAGES_MAX),
      expires: PULL_EXPIRES_MS,
      callback: this.#arrive,
    });
    this.#messages = messages;
    void this.#watch(messages);
    void messages.closed().then((cause) => this.#reopen(cause));
  }

  async #checked(): Promise<void> {
    const { recreated } = await ensureConsumer(this.#parts.manager, this.#consumer);
    if (recreated)
      this.#parts.log.error(this.#fields(), 'consumer was ahead of its stream and was made anew from the start: the stream lost its end');
  }

  /** In the background: never throws. */
  async #ensure(): Promise<void> {
    if (this.#closing) return;
    await this.#checked().catch((cause: unknown) => {
      this.#parts.log.warn({ ...this.#fields(), err: { message: wordsOf(cause) } }, 'consumer could not be checked');
    });
  }

  async #watch(messages: ConsumerMessages): Promise<void> {
    for await (const notice of messages.status()) {
      if (notice.type === 'consumer_not_found' || notice.type === 'consumer_deleted' || notice.type === 'stream_not_found') {
        this.#parts.log.warn({ ...this.#fields(), notice: notice.type }, 'consumer is gone, making it anew');
        await this.#ensure();
      }
    }
  }

  /** The client closed the intake by itself; without this the program would live on, deaf. */
  async #reopen(cause: unknown): Promise<void> {
    for (let attempt = 0; !this.#closing && !this.#parts.connection.isClosed(); attempt++) {
      this.#parts.log.warn({ ...this.#fields(), attempt, err: { message: wordsOf(cause) } }, 'intake was closed, opening it again');
      await sleep(backoffMs(attempt, REOPEN_BACKOFF, Math.random()));
      try {
        if (!this.#closing) await this.#start();
        return;
      } catch (failure) {
        cause = failure;
      }
    }
  }

  #fields(): Record<string, unknown> {
    return { stream: this.#consumer.stream, durable: this.#consumer.durable };
  }
}

/**
 * `close` alone forgets messages that are on their way: nobody would get them before their lease runs out. Draining the subscription
 * underneath lets them arrive (and be handed back) first; the client does the same when a whole connection is drained.
 */
async function drainIntake(messages: ConsumerMessages): Promise<void> {
  const { sub } = messages as { sub?: { drain(): Promise<void> } };
  await sub?.drain().catch(() => undefined);
  await messages.close();
}

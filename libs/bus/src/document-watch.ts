import { backoffMs, type Logger, sleep } from '@edgeloop/runtime';
import type { ConsumerMessages, JetStreamManager, JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Subscription } from './api.ts';
import { wordsOf } from './errors.ts';
import { PULL_EXPIRES_MS, REOPEN_BACKOFF } from './limits.ts';
import { orderedOptions } from './stored-messages.ts';

export interface WatchParts {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly log: Logger;
}

/** Every present message of a bucket, then every change, in order; resolves when the present ones were given. `take` must not throw. */
export async function watchBucket(parts: WatchParts, stream: string, take: (message: JsMsg) => void): Promise<Subscription> {
  const watch = new BucketWatch(parts, stream, take);
  await watch.open();
  return watch;
}

class BucketWatch implements Subscription {
  readonly #parts: WatchParts;
  readonly #stream: string;
  readonly #take: (message: JsMsg) => void;
  #messages: ConsumerMessages | undefined;
  #seen = 0;
  #closing = false;

  constructor(parts: WatchParts, stream: string, take: (message: JsMsg) => void) {
    this.#parts = parts;
    this.#stream = stream;
    this.#take = take;
  }

  async open(): Promise<void> {
    await (
      await this.#start()
    ).caughtUp;
  }

  async drain(): Promise<void> {
    this.#closing = true;
    await this.#messages?.close();
  }

  async #start(): Promise<{ caughtUp: Promise<void> }> {
    const range =
      this.#seen === 0 ? { stream: this.#stream, lastPerSubject: true } : { stream: this.#stream, fromSequence: this.#seen + 1 };
    const consumer = await this.#parts.manager.jetstream().consumers.get(this.#stream, orderedOptions(range));
    const pending = (await consumer.info(true)).num_pending;
    let resolve = (): void => undefined;
    const caughtUp = new Promise<void>((done) => (resolve = done));
    if (pending === 0) resolve();
    this.#messages = await consumer.consume({
      expires: PULL_EXPIRES_MS,
      callback: (message) => {
        this.#seen = message.seq;
        this.#take(message);
        if (message.info.pending === 0) resolve();
      },
    });
    void this.#messages.closed().then((cause) => this.#reopen(cause));
    return { caughtUp };
  }

  /** The client closed the watch by itself: a read model that nobody feeds any more must not go unnoticed. */
  async #reopen(cause: unknown): Promise<void> {
    for (let attempt = 0; !this.#closing && !this.#parts.connection.isClosed(); attempt++) {
      this.#parts.log.warn({ stream: this.#stream, attempt, err: { message: wordsOf(cause) } }, 'watch was closed, opening it again');
      await sleep(backoffMs(attempt, REOPEN_BACKOFF, Math.random()));
      try {
        if (!this.#closing) await this.#start();
        return;
      } catch (failure) {
        cause = failure;
      }
    }
  }
}

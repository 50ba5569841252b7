import { backoffMs, sleep } from '@edgeloop/runtime';
import type { NatsConnection } from '@nats-io/nats-core';
import { BusSilentError, nameOf } from './errors.ts';
import { PUBLISH_ATTEMPTS_MAX, PUBLISH_BACKOFF } from './limits.ts';

const listeners = new WeakMap<NatsConnection, Set<() => void>>();

/** Thrown by `untilReconnected`: the answer died with the old connection, ask again at once. */
export class ReconnectedError extends Error {
  override readonly name = 'ReconnectedError';
  readonly retryable = true;
}

/** Waits for the answer, but not over a reconnect: the server that would have answered is gone, and its timeout would be waited for in vain. */
export async function untilReconnected<T>(connection: NatsConnection, answer: Promise<T>): Promise<T> {
  const waiting = listenersOf(connection);
  let wake = (): void => undefined;
  const reconnected = new Promise<never>((_resolve, reject) => {
    wake = () => reject(new ReconnectedError('reconnected'));
  });
  waiting.add(wake);
  try {
    return await Promise.race([answer, reconnected]);
  } finally {
    waiting.delete(wake);
  }
}

/** Pause before the next attempt; none after a reconnect. */
export async function pauseAfter(cause: unknown, attempt: number): Promise<void> {
  if (!(cause instanceof ReconnectedError)) await sleep(backoffMs(attempt, PUBLISH_BACKOFF, Math.random()));
}

/**
 * A read, or anything else that may be repeated, that outlives a restart of the server.
 * @throws BusSilentError after all attempts; whatever else `read` throws, at once
 */
export async function readPatiently<T>(connection: NatsConnection, read: () => Promise<T>): Promise<T> {
  let last: unknown;
  for (let attempt = 0; attempt < PUBLISH_ATTEMPTS_MAX; attempt++) {
    try {
      return await untilReconnected(connection, read());
    } catch (cause) {
      if (!isSilence(cause)) throw cause;
      last = cause;
      await pauseAfter(cause, attempt);
    }
  }
  throw new BusSilentError(last);
}

const SILENCE = new Set(['TimeoutError', 'RequestError', 'NoResponders', 'ReconnectedError', 'JetStreamNotEnabled']);
const UNAVAILABLE_STATUS = 503;

function isSilence(cause: unknown): boolean {
  return SILENCE.has(nameOf(cause)) || (cause as { status?: number } | undefined)?.status === UNAVAILABLE_STATUS;
}

function listenersOf(connection: NatsConnection): Set<() => void> {
  const known = listeners.get(connection);
  if (known !== undefined) return known;
  const made = new Set<() => void>();
  listeners.set(connection, made);
  void report(connection, made);
  return made;
}

async function report(connection: NatsConnection, waiting: Set<() => void>): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'reconnect') for (const wake of waiting) wake();
  }
}

import { readFile } from 'node:fs/promises';
import { connect, type ConnectionOptions, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import type { ConnectOptions } from './api.ts';
import { ConnectError, nameOf, wordsOf } from './errors.ts';
import { CONNECT_BUDGET_MS, PING_INTERVAL_MS, PINGS_OUT_MAX, RECONNECT_JITTER_MS, RECONNECT_WAIT_MS } from './limits.ts';
import { sleep } from '@edgeloop/runtime';

/** Options of every connection: reconnect for ever, with jitter, so that a fleet does not come back as one wave. */
export function lastingConnection(name: string, url: string): ConnectionOptions {
  return {
    servers: url,
    name,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    reconnectJitter: RECONNECT_JITTER_MS,
    reconnectJitterTLS: RECONNECT_JITTER_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: PINGS_OUT_MAX,
    // A restarting server can refuse for a moment; giving up would need a restart of the program.
    ignoreAuthErrorAbort: true,
    // Stack traces of pending requests cost more than the requests.
    noAsyncTraces: true,
  };
}

/** Connects a service. Waits for a bus that is still starting, but not for one that says no. @throws ConnectError */
export async function connectNats(options: ConnectOptions): Promise<NatsConnection> {
  const creds = await credsOf(options);
  const wanted: ConnectionOptions = {
    ...lastingConnection(options.service, options.url),
    ...(creds === undefined ? {} : { authenticator: credsAuthenticator(creds) }),
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
  };
  const giveUpAt = Date.now() + (options.connectBudgetMs ?? CONNECT_BUDGET_MS);
  for (;;) {
    try {
      return await connect(wanted);
    } catch (cause) {
      if (isRefusal(cause) || Date.now() >= giveUpAt) throw new ConnectError(options.url, cause);
      await sleep(RECONNECT_WAIT_MS + Math.random() * RECONNECT_JITTER_MS);
    }
  }
}

/** The server said no. On a busy machine it also says "Authentication Timeout", which is only slow. */
function isRefusal(cause: unknown): boolean {
  return nameOf(cause) === 'AuthorizationError' && !/timeout/i.test(wordsOf(cause));
}

async function credsOf(options: ConnectOptions): Promise<Uint8Array | undefined> {
  if (options.creds === undefined) return undefined;
  if ('text' in options.creds) return new TextEncoder().encode(options.creds.text);
  try {
    return await readFile(options.creds.path);
  } catch (cause) {
    throw new ConnectError(options.url, cause);
  }
}

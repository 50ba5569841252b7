import {
  type EventContract,
  NodeBell,
  type PayloadOf,
  type ReplyOf,
  type RequestContract,
  type SignalContract,
  subjectOf,
} from '@edgeloop/contracts';
import { backoffMs, sleep } from '@edgeloop/runtime';
import { type Authenticator, connect, credsAuthenticator, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import type { PublishOptions, PublishReceipt } from './api.ts';
import { askOn, type AskOptions, signalOn } from './ask.ts';
import { lastingConnection } from './connect.ts';
import { BusAwayError, PublishRefusedError, wordsOf } from './errors.ts';
import { envelopeHeaders } from './headers.ts';
import { storeMessage, SUBJECT_TAKEN } from './store-message.ts';
import { WindowedPublisher, type WindowOptions } from './windowed-publisher.ts';
import { encodeMessage } from './wire.ts';

export interface NodeBusOptions {
  readonly url: string;
  readonly nodeId: string;
  /** Text of a creds file, or the node's user JWT with the seed of its key. */
  readonly creds: { readonly text: string } | { readonly jwt: string; readonly seed: string };
  /** Default: the node's own, `_INBOX_<nodeId>`, the only one its permissions allow. */
  readonly inboxPrefix?: string;
}

export type NodeBusStatus = { readonly state: 'connected' } | { readonly state: 'away'; readonly reason: string };

export interface NodeBus {
  readonly nodeId: string;
  readonly status: NodeBusStatus;
  /** Called at once with the status of now, then at every change. Returns the way to stop. */
  onStatus(listener: (status: NodeBusStatus) => void): () => void;
  /** Resolves true when connected within the time. */
  ready(timeoutMs: number): Promise<boolean>;
  /** One attempt; the receipt is the stream's. @throws BusAwayError, PublishUnknownError and the other errors of `Bus.publish` */
  publishFact<C extends EventContract>(
    contract: C,
    payload: PayloadOf<C>,
    options: Omit<PublishOptions, 'expectLastSubjectSequence'> & { timeoutMs?: number },
  ): Promise<PublishReceipt>;
  /** @throws BusAwayError and the errors of `Bus.ask` */
  ask<C extends RequestContract>(contract: C, payload: z.input<C['payload']>, options?: AskOptions): Promise<ReplyOf<C>>;
  /** False when the bus is away: nothing is kept for later. */
  signal<C extends SignalContract>(contract: C, payload: PayloadOf<C>): boolean;
  /** The doorbell carries nothing that is believed: come and sync. */
  onBell(listener: () => void): void;
  /** For streams of telemetry. @throws BusAwayError before the first connection */
  windowed(options?: WindowOptions): WindowedPublisher;
  close(): Promise<void>;
}

const FIRST_CONNECT_BACKOFF = { firstMs: 250, maxMs: 30_000 };
const READY_POLL_MS = 20;

/**
 * A node's side of the bus: its account has no JetStream API, so facts are plain requests that a stream answers.
 * Returns at once and connects for ever in the background, where nothing throws: a node lives without the bus.
 */
export function connectNode(options: NodeBusOptions): NodeBus {
  const bus = new EdgeNodeBus(options);
  bus.start();
  return bus;
}

class EdgeNodeBus implements NodeBus {
  readonly nodeId: string;
  readonly #options: NodeBusOptions;
  readonly #listeners = new Set<(status: NodeBusStatus) => void>();
  readonly #bells = new Set<() => void>();
  readonly #closing = new AbortController();
  #connection: NatsConnection | undefined;
  #status: NodeBusStatus = { state: 'away', reason: 'not connected yet' };

  constructor(options: NodeBusOptions) {
    this.#options = options;
    this.nodeId = options.nodeId;
  }

  get status(): NodeBusStatus {
    return this.#status;
  }

  start(): void {
    void this.#connectForEver();
  }

  onStatus(listener: (status: NodeBusStatus) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#status);
    return () => this.#listeners.delete(listener);
  }

  async ready(timeoutMs: number): Promise<boolean> {
    const giveUpAt = Date.now() + timeoutMs;
    while (this.#status.state !== 'connected' && Date.now() < giveUpAt && !this.#closing.signal.aborted)
      await sleep(READY_POLL_MS, this.#closing.signal);
    return this.#status.state === 'connected';
  }

  async publishFact<C extends EventContract>(
    contract: C,
    payload: PayloadOf<C>,
    options: Omit<PublishOptions, 'expectLastSubjectSequence'> & { timeoutMs?: number },
  ): Promise<PublishReceipt> {
    const { subject, data } = encodeMessage(contract, payload);
    const message = { subject, data, headers: envelopeHeaders(contract, options) };
    const answer = await storeMessage(this.#connected(), message, { attemptsMax: 1, timeoutMs: options.timeoutMs });
    if (answer.stored) return { stream: contract.stream, sequence: answer.sequence, duplicate: answer.duplicate };
    if (answer.errorCode === SUBJECT_TAKEN) return { stream: contract.stream, sequence: 0, duplicate: true };
    throw new PublishRefusedError(subject, answer);
  }

  async ask<C extends RequestContract>(contract: C, payload: z.input<C['payload']>, options?: AskOptions): Promise<ReplyOf<C>> {
    return askOn(this.#connected(), contract, payload, options);
  }

  signal<C extends SignalContract>(contract: C, payload: PayloadOf<C>): boolean {
    if (this.#status.state !== 'connected') return false;
    signalOn(this.#connected(), contract, payload);
    return true;
  }

  onBell(listener: () => void): void {
    this.#bells.add(listener);
  }

  windowed(options?: WindowOptions): WindowedPublisher {
    if (this.#connection === undefined) throw new BusAwayError();
    return new WindowedPublisher(this.#connection, options);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connection?.close().catch(() => undefined);
    this.#set({ state: 'away', reason: 'closed' });
  }

  #connected(): NatsConnection {
    if (this.#connection === undefined || this.#status.state !== 'connected') throw new BusAwayError();
    return this.#connection;
  }

  async #connectForEver(): Promise<void> {
    const { nodeId, url, inboxPrefix = `_INBOX_${nodeId}` } = this.#options;
    for (let attempt = 0; !this.#closing.signal.aborted; attempt++) {
      try {
        const connection = await connect({
          ...lastingConnection(`node ${nodeId}`, url),
          inboxPrefix,
          authenticator: this.#authenticator(),
        });
        if (this.#closing.signal.aborted) return await connection.close();
        return await this.#live(connection);
      } catch (cause) {
        this.#set({ state: 'away', reason: wordsOf(cause) });
        await sleep(backoffMs(attempt, FIRST_CONNECT_BACKOFF, Math.random()), this.#closing.signal);
      }
    }
  }

  /** From here on the client reconnects by itself; if it ever gives up, start again. */
  async #live(connection: NatsConnection): Promise<void> {
    this.#connection = connection;
    this.#listenForBell(connection);
    this.#set({ state: 'connected' });
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#set({ state: 'away', reason: 'disconnected' });
      else if (status.type === 'reconnect') this.#set({ state: 'connected' });
    }
    if (this.#closing.signal.aborted) return;
    throw new BusAwayError();
  }

  #listenForBell(connection: NatsConnection): void {
    // Only a node whose permissions include its doorbell may listen; somebody who is still joining may not.
    if (this.#options.inboxPrefix !== undefined) return;
    connection.subscribe(subjectOf(NodeBell, { nodeId: this.nodeId }), { callback: () => this.#ring() });
  }

  #ring(): void {
    for (const listener of this.#bells) guarded(listener);
  }

  #set(status: NodeBusStatus): void {
    const changed =
      status.state !== this.#status.state ||
      (status.state === 'away' && this.#status.state === 'away' && status.reason !== this.#status.reason);
    this.#status = status;
    if (changed) for (const listener of this.#listeners) guarded(() => listener(status));
  }

  #authenticator(): Authenticator {
    const { creds } = this.#options;
    const encoder = new TextEncoder();
    return 'text' in creds ? credsAuthenticator(encoder.encode(creds.text)) : jwtAuthenticator(creds.jwt, encoder.encode(creds.seed));
  }
}

/** A listener's error is the listener's; the connection goes on. */
function guarded(listener: () => void): void {
  try {
    listener();
  } catch {
    // Nothing in the background throws; a listener that wants its errors seen reports them itself.
  }
}

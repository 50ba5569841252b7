import type { EventContract, PayloadOf, ReplyOf, RequestContract, SignalContract, StateBucket, StreamName } from '@edgeloop/contracts';
import type { Logger } from '@edgeloop/runtime';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';

/** What travels beside every payload, in headers. */
export interface MessageContext {
  /** Deterministic message id (`Nats-Msg-Id`); effects derive theirs from it. */
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** Fields read from the subject: the identity that the broker vouches for. */
  readonly tokens: Readonly<Record<string, string>>;
  /** The loop turn this message belongs to; inherited by all it causes. */
  readonly correlationId: string;
  /** Id of the message that caused this one. */
  readonly causationId: string | undefined;
  /** W3C trace context. */
  readonly traceparent: string | undefined;
  /** Publisher's clock, ISO 8601. */
  readonly sentAt: string | undefined;
  readonly stream: StreamName | undefined;
  readonly streamSequence: number;
  /** 1 for the first delivery. */
  readonly deliveries: number;
  /** Aborted when the service drains or the lease cannot be renewed any more. */
  readonly signal: AbortSignal;
}

/** Why a message is sent: pass the context of the message being handled, or start a new chain. */
export type Cause = Pick<MessageContext, 'id' | 'correlationId' | 'traceparent'>;

export interface PublishOptions {
  /** Deterministic id: the same fact published twice has the same id. */
  readonly id: string;
  readonly cause?: Cause;
  /** The last stream sequence of this subject that the publisher knows; 0 means none yet. */
  readonly expectLastSubjectSequence?: number;
}

export interface PublishReceipt {
  readonly stream: StreamName;
  readonly sequence: number;
  /** The stream had it already (duplicate id, or a once-per-subject stream that holds the subject). */
  readonly duplicate: boolean;
}

export type EventHandler<C extends EventContract> = (payload: PayloadOf<C>, context: MessageContext) => Promise<void> | void;
export type SignalHandler<C extends SignalContract> = (payload: PayloadOf<C>, context: MessageContext) => Promise<void> | void;
export type RequestHandler<C extends RequestContract> = (
  payload: PayloadOf<C>,
  context: MessageContext,
) => Promise<ReplyOf<C>> | ReplyOf<C>;

/** One contract with its handler, type-erased for tables. */
export interface Handled {
  readonly contract: EventContract;
  readonly handle: (payload: never, context: MessageContext) => Promise<void> | void;
}

export interface ConsumeOptions {
  /** Name of the durable consumer; one name = one group that shares the work. */
  readonly durable: string;
  readonly stream: StreamName;
  readonly handlers: readonly Handled[];
  /** Handlers that run at once. Messages with equal keys run one after the other. Default 16. */
  readonly concurrency?: number;
  /** Order key; default: second-to-last subject token (the aggregate's id). */
  readonly keyOf?: (context: MessageContext) => string;
  /** Deliveries before the dead letter; default 8. */
  readonly deliveriesMax?: number;
  /** How long one handler may hold its message; default `LEASE_MAX_MS`. */
  readonly leaseMaxMs?: number;
  /** How often the lease of held messages is renewed; default `LEASE_RENEW_MS`. */
  readonly leaseRenewMs?: number;
  /** Silence after which the server delivers a message again; default `ACK_WAIT_MS`. */
  readonly ackWaitMs?: number;
  /** Messages handed out unsettled, over all replicas; default `concurrency` x `ACK_PENDING_PER_HANDLER`. */
  readonly ackPendingMax?: number;
  /** Time that running handlers get when the consumer is drained; default `DRAIN_BUDGET_MS`. */
  readonly drainBudgetMs?: number;
  /** Default `all`: a new durable reads the whole stream. */
  readonly startFrom?: 'all' | 'new';
}

export interface Subscription {
  /** Stops intake, waits for handlers that run (bounded by `DRAIN_BUDGET_MS`). Idempotent. */
  drain(): Promise<void>;
}

/** An effect to be published after the state that decided it was saved. */
export interface Output<C extends EventContract = EventContract> {
  readonly contract: C;
  readonly payload: PayloadOf<C>;
  /** Deterministic message id. */
  readonly id: string;
}

export interface Document<S> {
  readonly state: S;
  readonly revision: number;
}

/**
 * State documents in a key-value bucket, written by revision, with a transactional outbox:
 * `save` stores the state together with its outputs (compare-and-set), then publishes them and clears them; a crash in
 * between is mended by `resume` at the next start (and by the next `load` of that key).
 */
export interface Documents<S> {
  load(key: string): Promise<Document<S> | undefined>;
  /** `revision` 0 (or undefined) creates. Throws `RevisionConflictError` when somebody else wrote first. */
  save(key: string, state: S, options: { revision?: number; outputs?: readonly Output[]; cause?: Cause }): Promise<Document<S>>;
  /** load -> decide -> save, again on conflict (at most `CONFLICT_RETRIES_MAX`). `decide` returns undefined to change nothing. */
  update(
    key: string,
    decide: (current: S | undefined) => { state: S; outputs?: readonly Output[] } | undefined,
    cause?: Cause,
  ): Promise<S | undefined>;
  keys(): Promise<string[]>;
  /** All documents; for start-up and small buckets. */
  entries(): AsyncIterable<{ key: string; document: Document<S> }>;
  /** Calls for every present document and then for every change, in order. */
  watch(onChange: (key: string, document: Document<S> | undefined) => void): Promise<Subscription>;
  /** Publishes outputs that a crash left behind; call once at start. Returns how many. */
  resume(): Promise<number>;
}

export interface Bus {
  readonly connection: NatsConnection;
  readonly service: string;
  /** Creates or updates streams and buckets from the contracts; idempotent, safe to race. */
  provision(): Promise<void>;
  publish<C extends EventContract>(contract: C, payload: PayloadOf<C>, options: PublishOptions): Promise<PublishReceipt>;
  signal<C extends SignalContract>(contract: C, payload: PayloadOf<C>): void;
  /** Throws `AskTimeoutError`, `NoResponderError` (both retryable) or `AskRefusedError` (with the responder's code and words). */
  ask<C extends RequestContract>(
    contract: C,
    payload: z.input<C['payload']>,
    options?: { timeoutMs?: number; cause?: Cause },
  ): Promise<ReplyOf<C>>;
  consume(options: ConsumeOptions): Promise<Subscription>;
  onSignal<C extends SignalContract>(contract: C, handler: SignalHandler<C>): Subscription;
  /** Competing responders share the questions. */
  onRequest<C extends RequestContract>(contract: C, handler: RequestHandler<C>): Subscription;
  documents<S>(bucket: StateBucket, schema: z.ZodType<S>): Promise<Documents<S>>;
  /** Last message of a subject, read from the stream's leader; undefined when there is none. For once-only ledgers. */
  lastOf<C extends EventContract>(
    contract: C,
    fields: Readonly<Record<string, string>>,
  ): Promise<{ payload: PayloadOf<C>; context: MessageContext } | undefined>;
  /** Reads stored events of one stream from the start, bounded by what is stored now; for read models and reports. */
  history(
    stream: StreamName,
    filter?: { subject?: string; fromSequence?: number },
  ): AsyncIterable<{ contract: EventContract; payload: unknown; context: MessageContext }>;
  drain(): Promise<void>;
}

export interface ConnectOptions {
  /** Name of the program, for connection names, dead letters and durable prefixes. */
  readonly service: string;
  readonly url: string;
  /** Path of a NATS creds file, or its text. */
  readonly creds?: { path: string } | { text: string };
  readonly inboxPrefix?: string;
  /** Wait for a bus that is still starting; default `CONNECT_BUDGET_MS`. */
  readonly connectBudgetMs?: number;
  /** Default: JSON lines on stdout under the service's name. */
  readonly log?: Logger;
}

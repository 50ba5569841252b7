import { type Contract, patternOf, type RequestContract, type SignalContract } from '@edgeloop/contracts';
import type { Logger } from '@edgeloop/runtime';
import { headers, type Msg, type MsgHdrs, type NatsConnection, type Subscription as NatsSubscription } from '@nats-io/nats-core';
import type { MessageContext, RequestHandler, SignalHandler, Subscription } from './api.ts';
import { type ContractReader, readerOf, type Tokens } from './contract-reader.ts';
import { InvalidMessageError, isRetryable, nameOf, Refusal, UnreadableMessageError, wordsOf } from './errors.ts';
import { HEADER, headerText } from './headers.ts';
import { DRAIN_BUDGET_MS, REQUESTS_RUNNING_MAX, SIGNALS_RUNNING_MAX } from './limits.ts';
import { type Arrival, ArrivalContext } from './message-context.ts';
import { SendTogether } from './send-together.ts';
import { decodeMessage, encodeJson, problemsOf } from './wire.ts';
import { within } from './within.ts';

export interface ListenParts {
  readonly connection: NatsConnection;
  readonly service: string;
  readonly log: Logger;
}

/** Subscription on core NATS that knows how much of it is running. */
class Listening implements Subscription {
  #running = 0;
  #whenIdle: (() => void)[] = [];
  #drained: Promise<void> | undefined;
  readonly #afterwards: () => void;
  subscription: NatsSubscription | undefined;

  /** `afterwards` runs when everything that ran has ended. */
  constructor(afterwards: () => void = () => undefined) {
    this.#afterwards = afterwards;
  }

  get running(): number {
    return this.#running;
  }

  during(work: Promise<void>, failed: (cause: unknown) => void): void {
    this.#running++;
    work.then(this.#ended, (cause: unknown) => {
      this.#ended();
      failed(cause);
    });
  }

  readonly #ended = (): void => {
    this.#running--;
    if (this.#running === 0 && this.#whenIdle.length > 0) for (const wake of this.#whenIdle.splice(0)) wake();
  };

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    await this.subscription?.drain().catch(() => undefined);
    if (this.#running > 0) await within(DRAIN_BUDGET_MS, new Promise<void>((resolve) => this.#whenIdle.push(resolve)));
    this.#afterwards();
  }
}

/** Every listener of a signal hears it; one that is swamped drops and says so. */
export function listenForSignals<C extends SignalContract>(parts: ListenParts, contract: C, handler: SignalHandler<C>): Subscription {
  const listening = new Listening();
  const losses = new LossReport(parts.log, contract.type);
  const failed = (message: Msg, cause: unknown): void => {
    parts.log.warn({ subject: message.subject, err: { name: nameOf(cause), message: wordsOf(cause) } }, 'signal could not be handled');
  };
  const arrive = (error: Error | null, message: Msg): void => {
    if (error !== null) return parts.log.error({ subject: contract.subject, err: error }, 'not allowed to listen');
    if (listening.running >= SIGNALS_RUNNING_MAX) return losses.count();
    try {
      const context = contextOf(contract, message);
      const work = handler(decodeMessage(contract, message.subject, message.data, { tokens: context.tokens }), context);
      if (work instanceof Promise) listening.during(work, (cause) => failed(message, cause));
    } catch (cause) {
      failed(message, cause);
    }
  };
  listening.subscription = parts.connection.subscribe(patternOf(contract), { callback: arrive });
  return listening;
}

/** Responders of one service share the questions. */
export function respondTo<C extends RequestContract>(parts: ListenParts, contract: C, handler: RequestHandler<C>): Subscription {
  const replies = new SendTogether();
  const listening = new Listening(replies.flush);
  const arrive = (error: Error | null, message: Msg): void => {
    if (error !== null) return parts.log.error({ subject: contract.subject, err: error }, 'not allowed to respond');
    if (listening.running >= REQUESTS_RUNNING_MAX)
      return refuse(message, { code: 'busy', words: `${parts.service} has too much to do, ask again`, retryable: true });
    listening.during(answer(parts, { contract, handler, message, replies }), (cause) =>
      parts.log.error({ subject: message.subject, err: cause }, 'question could not be answered'),
    );
  };
  listening.subscription = parts.connection.subscribe(patternOf(contract), { queue: parts.service, callback: arrive });
  return listening;
}

interface Question<C extends RequestContract> {
  readonly contract: C;
  readonly handler: RequestHandler<C>;
  readonly message: Msg;
  readonly replies: SendTogether;
}

async function answer<C extends RequestContract>(parts: ListenParts, question: Question<C>): Promise<void> {
  const { contract, handler, message } = question;
  try {
    const context = contextOf(contract, message);
    const reply = await handler(decodeMessage(contract, message.subject, message.data, { tokens: context.tokens }), context);
    const body = encodeJson(readerOf(contract).replyFits(reply) ? reply : checkedReply(contract, reply));
    question.replies.push(() => respond(message, body));
  } catch (cause) {
    const refusal = refusalOf(cause);
    if (refusal.code === 'failed') parts.log.error({ subject: message.subject, err: cause }, 'question could not be answered');
    refuse(message, refusal);
  }
}

function checkedReply(contract: RequestContract, reply: unknown): unknown {
  const parsed = contract.reply.safeParse(reply);
  if (!parsed.success) throw new InvalidMessageError(contract, problemsOf(parsed.error));
  return parsed.data;
}

interface RefusalWords {
  readonly code: string;
  readonly words: string;
  readonly retryable: boolean;
}

/** What the asker may know: a `Refusal`'s own words, that the question is malformed, or only that it failed. */
function refusalOf(cause: unknown): RefusalWords {
  if (cause instanceof Refusal) return { code: cause.code, words: cause.message, retryable: cause.retryable };
  if (cause instanceof UnreadableMessageError) return { code: 'invalid-request', words: cause.message, retryable: false };
  return { code: 'failed', words: `the service could not answer: ${wordsOf(cause)}`, retryable: isRetryable(cause) };
}

function refuse(message: Msg, refusal: RefusalWords): void {
  const sent = headers();
  sent.set(HEADER.errorCode, refusal.code);
  sent.set(HEADER.errorWords, headerText(refusal.words));
  sent.set(HEADER.errorRetryable, refusal.retryable ? 'yes' : 'no');
  respond(message, '', sent);
}

function respond(message: Msg, body: Uint8Array | string, headers?: MsgHdrs): void {
  try {
    message.respond(body, headers === undefined ? undefined : { headers });
  } catch {
    // The connection is closing: the asker times out and asks again.
  }
}

function contextOf(contract: Contract, message: Msg): MessageContext {
  return new ArrivalContext(new CoreArrival(readerOf(contract), message));
}

/** A class and not a literal with a getter: each such literal would get a hidden class of its own, which outlives the message. */
class CoreArrival implements Arrival {
  readonly #message: Msg;
  readonly typeId: string;
  readonly tokens: Tokens;

  constructor(reader: ContractReader, message: Msg) {
    this.#message = message;
    this.typeId = reader.typeId;
    this.tokens = reader.tokens(message.subject) ?? {};
  }

  get subject(): string {
    return this.#message.subject;
  }
  get headers(): MsgHdrs | undefined {
    return this.#message.headers;
  }
}

const LOSS_REPORT_MS = 5_000;

/** Counts what is dropped and says so at most every few seconds. */
class LossReport {
  readonly #log: Logger;
  readonly #type: string;
  #lost = 0;
  #saidAt = 0;

  constructor(log: Logger, type: string) {
    this.#log = log;
    this.#type = type;
  }

  count(): void {
    this.#lost++;
    const now = Date.now();
    if (now - this.#saidAt < LOSS_REPORT_MS) return;
    this.#log.warn({ type: this.#type, lost: this.#lost }, 'signals dropped: the handler is too slow');
    this.#saidAt = now;
    this.#lost = 0;
  }
}

import type { Logger } from '@edgeloop/runtime';
import type { JsMsg } from '@nats-io/jetstream';
import type { ConsumeOptions, Subscription } from './api.ts';
import { bury, type LetterOrigin, type PublishEvent } from './dead-letter.ts';
import { DeliveredOriginal, Delivery, type Original } from './delivery.ts';
import { UnreadableMessageError, WiringError, wordsOf } from './errors.ts';
import { Lanes, type LaneVerdict } from './lanes.ts';
import { Leases } from './leases.ts';
import { ABORT_GRACE_MS, CONCURRENCY, DELIVERIES_MAX, DRAIN_BUDGET_MS } from './limits.ts';
import { Routes } from './routes.ts';
import { SendTogether } from './send-together.ts';
import { killsItsHandler, type Outcome, settlementOf } from './settlement.ts';
import { decodeMessage } from './wire.ts';
import { within } from './within.ts';

export interface Intake {
  /** Stops asking for messages; what was delivered already keeps arriving for a moment. */
  close(): Promise<void>;
}

export interface HandlingParts {
  readonly origin: LetterOrigin;
  readonly publish: PublishEvent;
  readonly log: Logger;
}

/** The life of messages of one consumer group in this process: arrive, wait for their turn, run, be settled. */
export class Handling implements Subscription {
  readonly routes: Routes;
  readonly #parts: HandlingParts;
  readonly #options: ConsumeOptions;
  readonly #leases: Leases;
  readonly #lanes: Lanes<Delivery>;
  readonly #intakes: Intake[] = [];
  readonly #acks = new SendTogether();
  #drained: Promise<void> | undefined;

  constructor(options: ConsumeOptions, parts: HandlingParts) {
    this.#options = options;
    this.#parts = parts;
    this.routes = new Routes(options.handlers);
    const foreign = options.handlers.find((handled) => handled.contract.stream !== options.stream);
    if (foreign !== undefined)
      throw new WiringError(`${foreign.contract.type} lives in ${foreign.contract.stream}, not in ${options.stream}`);
    this.#lanes = new Lanes(options.concurrency ?? CONCURRENCY, (delivery) => this.#run(delivery));
    this.#leases = new Leases(() => this.#lanes.items(), { maxMs: options.leaseMaxMs, renewMs: options.leaseRenewMs });
  }

  feedFrom(intake: Intake): void {
    this.#intakes.push(intake);
  }

  /** Never throws: an error here would close the intake. */
  readonly arrive = (message: JsMsg): void => this.take(message, new DeliveredOriginal(message, this.#options.stream));

  take(message: JsMsg, original: Original): void {
    const delivery = new Delivery(message, original, this.routes.find(original.subject));
    if (this.#drained !== undefined) return delivery.nak(0);
    delivery.key = this.#keyOf(delivery);
    this.#lanes.push(delivery);
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  #keyOf(delivery: Delivery): string {
    const { subject } = delivery.original;
    if (this.#options.keyOf === undefined) return aggregateOf(subject);
    try {
      return this.#options.keyOf(delivery.context);
    } catch (cause) {
      this.#warn('no order key, ordered by subject instead', delivery, { err: cause });
      return subject;
    }
  }

  #run(delivery: Delivery): Promise<LaneVerdict> | LaneVerdict {
    delivery.startedAt = Date.now();
    if (killsItsHandler({ deliveries: delivery.deliveries, deliveriesMax: this.#deliveriesMax })) {
      return this.#settle(delivery, {
        kind: 'unreadable',
        cause: new Error(`delivered ${delivery.deliveries} times and never settled: it seems to kill its handler`),
      });
    }
    const running = this.#handle(delivery);
    return running instanceof Promise ? running.then((outcome) => this.#settle(delivery, outcome)) : this.#settle(delivery, running);
  }

  #handle(delivery: Delivery): Promise<Outcome> | Outcome {
    const { route, original, context } = delivery;
    let payload: unknown;
    try {
      if (route === undefined) throw new UnreadableMessageError(original.subject, 'no contract of this consumer fits the subject');
      payload = decodeMessage(route.contract, original.subject, original.data, delivery);
    } catch (cause) {
      return { kind: 'unreadable', cause };
    }
    try {
      const work = route.handle(payload as never, context);
      return work instanceof Promise ? work.then(handled, (cause: unknown) => this.#failed(delivery, cause)) : HANDLED;
    } catch (cause) {
      return this.#failed(delivery, cause);
    }
  }

  /** A handler that gave up because the program stops did not fail: somebody else gets the message. */
  #failed(delivery: Delivery, cause: unknown): Outcome {
    return delivery.context.aborted && this.#drained !== undefined ? { kind: 'handed-back' } : { kind: 'failed', cause };
  }

  #settle(delivery: Delivery, outcome: Outcome): Promise<LaneVerdict> | LaneVerdict {
    // Lost leases were taken back by the server; settling would touch a delivery that runs elsewhere.
    if (delivery.leaseLost && outcome.kind !== 'handled') return undefined;
    const settlement = settlementOf(outcome, {
      deliveries: delivery.deliveries,
      deliveriesMax: this.#deliveriesMax,
      chance: Math.random(),
    });
    switch (settlement.do) {
      case 'ack':
        this.#acks.push(() => delivery.ack());
        return undefined;
      case 'hand-back':
        delivery.nak(0);
        return undefined;
      case 'retry':
        this.#warn('handling failed, will be delivered again', delivery, { delayMs: settlement.delayMs, err: causeOf(outcome) });
        delivery.nak(settlement.delayMs);
        return { parkMs: settlement.delayMs };
      case 'bury':
        return this.#bury(delivery, settlement.reason, outcome);
      default:
        return settlement satisfies never;
    }
  }

  async #bury(delivery: Delivery, reason: string, outcome: Outcome): Promise<LaneVerdict> {
    try {
      await bury(this.#parts.publish, this.#parts.origin, delivery, reason);
      delivery.term('dead letter');
      this.#warn('message became a dead letter', delivery, { reason, err: causeOf(outcome) });
    } catch (cause) {
      // Without a letter the message would be lost: it stays and comes back.
      delivery.nak(DEAD_LETTER_RETRY_MS);
      this.#warn('no dead letter could be written, the message stays', delivery, { reason, err: cause });
    }
    return undefined;
  }

  get #deliveriesMax(): number {
    return this.#options.deliveriesMax ?? DELIVERIES_MAX;
  }

  #warn(message: string, delivery: Delivery, fields: Record<string, unknown>): void {
    const { context } = delivery;
    const origin = { durable: this.#parts.origin.durable, subject: context.subject, deliveries: context.deliveries };
    this.#parts.log.warn({ messageId: context.id, correlationId: context.correlationId, key: delivery.key, ...origin, ...fields }, message);
  }

  async #drain(): Promise<void> {
    await Promise.all(this.#intakes.map((intake) => intake.close().catch(() => undefined)));
    for (const waiting of this.#lanes.stop()) waiting.nak(0);
    await within(this.#options.drainBudgetMs ?? DRAIN_BUDGET_MS, this.#lanes.idle());
    for (const running of this.#lanes.items()) running.context.abort();
    await within(ABORT_GRACE_MS, this.#lanes.idle());
    for (const stuck of this.#lanes.items()) stuck.nak(0);
    this.#leases.stop();
    this.#acks.flush();
  }
}

/** Second-to-last token: the aggregate's id in `family.v1.<id>.<event>`. */
function aggregateOf(subject: string): string {
  const end = subject.lastIndexOf('.');
  return subject.slice(subject.lastIndexOf('.', end - 1) + 1, end);
}

const HANDLED: Outcome = { kind: 'handled' };
const handled = (): Outcome => HANDLED;
const DEAD_LETTER_RETRY_MS = 5_000;

function causeOf(outcome: Outcome): unknown {
  return 'cause' in outcome ? { message: wordsOf(outcome.cause), name: (outcome.cause as Error | undefined)?.name } : undefined;
}

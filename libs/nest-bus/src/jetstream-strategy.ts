import { type Bus, type Handled, type MessageContext, type Subscription, WiringError } from '@edgeloop/bus';
import type { Contract, EventContract, RequestContract, SignalContract, StreamName } from '@edgeloop/contracts';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { type Declared, DECLARED } from './decorators.ts';
import { verifyWiring } from './wiring.ts';

export interface StrategyOptions {
  readonly bus: Bus;
  /** Everything the service handles; checked against its controllers. */
  readonly consumes: readonly Contract[];
  /** Default `all`: a service that is new reads the streams from their start. */
  readonly startFrom?: 'all' | 'new';
}

interface Wired extends Declared {
  readonly call: MessageHandler;
}

/**
 * Nest's controllers on the bus. It calls Nest's bound handlers (guards, pipes and interceptors run) and not `handleEvent`, whose chain of
 * promises and observables costs more than the message; and it awaits what they return, so that a failure reaches the settlement table.
 */
export class JetStreamStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('edgeloop-jetstream');
  override readonly propagatesEventHandlerErrors = true;
  readonly #options: StrategyOptions;
  readonly #wired: Wired[] = [];
  readonly #subscriptions: Subscription[] = [];

  constructor(options: StrategyOptions) {
    super();
    this.#options = options;
  }

  override addHandler(pattern: unknown, callback: MessageHandler, isEventHandler = false, extras: Record<string, unknown> = {}): void {
    const declared = extras[DECLARED] as Declared | undefined;
    if (declared === undefined)
      throw new WiringError(`the handler of ${JSON.stringify(pattern)} has no contract: use @OnEvent, @OnSignal or @OnRequest`);
    this.#wired.push({ ...declared, call: callback });
    callback.isEventHandler = isEventHandler;
    callback.extras = extras;
    this.messageHandlers.set(`${declared.handler}:${String(pattern)}`, callback);
  }

  /** @throws WiringError */
  verify(): void {
    verifyWiring(this.#options.bus.service, this.#options.consumes, this.#wired);
  }

  listen(callback: (error?: unknown) => void): void {
    this.#listen().then(
      () => callback(),
      (cause: unknown) => callback(cause),
    );
  }

  /** Stops intake, finishes what runs, hands back the rest. Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#subscriptions.map((subscription) => subscription.drain()));
  }

  on(): void {
    // The connection's own events are reported by the bus; nothing is passed on.
  }

  unwrap<T>(): T {
    return this.#options.bus as T;
  }

  async #listen(): Promise<void> {
    this.verify();
    const { bus } = this.#options;
    for (const wired of this.#wired) {
      const { contract } = wired;
      if (contract.kind === 'signal') this.#subscriptions.push(bus.onSignal<SignalContract>(contract, through(wired) as never));
      else if (contract.kind === 'request') this.#subscriptions.push(bus.onRequest<RequestContract>(contract, through(wired) as never));
    }
    const events = this.#wired.filter((wired) => wired.contract.kind === 'event');
    for (const [stream, handlers] of Map.groupBy(events, (wired) => (wired.contract as EventContract).stream))
      await this.#consume(stream, handlers);
  }

  async #consume(stream: StreamName, wired: readonly Wired[]): Promise<void> {
    const { bus, startFrom } = this.#options;
    const wishes = wired.flatMap((one) => (one.concurrency === undefined ? [] : [one.concurrency]));
    const handlers = wired.map((one): Handled => ({ contract: one.contract as EventContract, handle: through(one) as Handled['handle'] }));
    const concurrency = wishes.length === 0 ? undefined : Math.max(...wishes);
    this.#subscriptions.push(await bus.consume({ durable: `${bus.service}-${stream}`, stream, handlers, concurrency, startFrom }));
  }
}

/** Nest's handlers answer with a promise of a value, or of an observable where an interceptor or a filter was at work. */
function through(wired: Wired): (payload: unknown, context: MessageContext) => Promise<unknown> {
  return (payload, context) => (wired.call(payload, context) as Promise<unknown>).then(valueOf);
}

function valueOf(result: unknown): unknown {
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}

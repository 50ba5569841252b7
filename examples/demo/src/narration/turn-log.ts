import type { Bus, Handled, Subscription } from '@edgeloop/bus';
import { ALL_CONTRACTS } from '@edgeloop/contracts';
import type { EventContract, PayloadOf } from '@edgeloop/contracts';

export interface LoggedEvent {
  readonly type: string;
  readonly payload: unknown;
  readonly atMs: number;
  readonly id: string;
}

/** The loop took longer for something than anyone would wait for. */
export class TurnTimeoutError extends Error {
  override readonly name = 'TurnTimeoutError';
  readonly waitedFor: string;
  constructor(waitedFor: string, limitMs: number) {
    super(`waited ${Math.round(limitMs / 1000)} s for ${waitedFor}, and it did not come`);
    this.waitedFor = waitedFor;
  }
}

interface Waiting {
  readonly matches: (event: LoggedEvent) => boolean;
  readonly resolve: (event: LoggedEvent) => void;
}

/** Everything that happened in the loop so far, in order, each event once; grows by what one turn publishes. */
export class TurnLog {
  readonly #events: LoggedEvent[] = [];
  readonly #ids = new Set<string>();
  readonly #waiting = new Set<Waiting>();
  readonly #listeners: ((event: LoggedEvent) => void)[] = [];

  onEvent(listener: (event: LoggedEvent) => void): void {
    this.#listeners.push(listener);
  }

  add(event: LoggedEvent): void {
    if (this.#ids.has(event.id)) return;
    this.#ids.add(event.id);
    this.#events.push(event);
    for (const listener of this.#listeners) listener(event);
    for (const waiting of this.#waiting) {
      if (!waiting.matches(event)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(event);
    }
  }

  all<C extends EventContract>(contract: C): readonly PayloadOf<C>[] {
    return this.timed(contract).map(({ payload }) => payload);
  }

  /** With the time at which each was sent. */
  timed<C extends EventContract>(contract: C): readonly { readonly payload: PayloadOf<C>; readonly atMs: number }[] {
    return this.#events
      .filter((event) => event.type === contract.type)
      .map(({ payload, atMs }) => ({ payload: payload as PayloadOf<C>, atMs }));
  }

  /** When the newest event of this kind was sent; undefined when there is none. */
  lastTimeOf(contract: EventContract): number | undefined {
    return this.timed(contract).at(-1)?.atMs;
  }

  /** When the first event of this kind from `fromMs` on was sent. */
  firstTimeOf(contract: EventContract, fromMs: number): number | undefined {
    return this.timed(contract).find(({ atMs }) => atMs >= fromMs)?.atMs;
  }

  /** The first event of this kind that matches, past or to come. */
  async waitFor<C extends EventContract>(
    contract: C,
    wait: {
      readonly what: string;
      readonly limitMs: number;
      readonly signal: AbortSignal;
      readonly matches?: (payload: PayloadOf<C>) => boolean;
    },
  ): Promise<PayloadOf<C>> {
    const matches = (event: LoggedEvent): boolean =>
      event.type === contract.type && (wait.matches?.(event.payload as PayloadOf<C>) ?? true);
    const past = this.#events.find(matches);
    if (past) return past.payload as PayloadOf<C>;
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { matches, resolve: (event) => settle(() => resolve(event.payload as PayloadOf<C>)) };
      const timer = setTimeout(() => settle(() => reject(new TurnTimeoutError(wait.what, wait.limitMs))), wait.limitMs);
      const abort = (): void => settle(() => reject(wait.signal.reason as Error));
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        wait.signal.removeEventListener('abort', abort);
        end();
      };
      this.#waiting.add(waiting);
      wait.signal.addEventListener('abort', abort, { once: true });
    });
  }
}

/** Feeds the log from the LOOP stream, from its very first event, whatever is restarted meanwhile. */
export function followLoop(bus: Bus, log: TurnLog, durable: string): Promise<Subscription> {
  const handlers: Handled[] = ALL_CONTRACTS.filter(
    (contract): contract is EventContract => contract.kind === 'event' && contract.stream === 'LOOP',
  ).map((contract) => ({
    contract,
    handle: (payload: never, context) =>
      log.add({ type: contract.type, payload, id: context.id, atMs: Date.parse(context.sentAt ?? '') || Date.now() }),
  }));
  return bus.consume({ durable, stream: 'LOOP', handlers, concurrency: 1 });
}

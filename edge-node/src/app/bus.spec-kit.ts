import type { NodeBus, NodeBusStatus } from '@edgeloop/bus';
import { BusAwayError } from '@edgeloop/bus';
import type { Contract } from '@edgeloop/contracts';

export interface Published {
  readonly type: string;
  readonly id: string;
  readonly payload: unknown;
}

/** A bus that is there or away as told, remembers what was published, and answers as told. */
export class ToldBus implements Pick<NodeBus, 'publishFact' | 'ask' | 'onStatus' | 'onBell' | 'signal'> {
  readonly published: Published[] = [];
  readonly asked: { type: string; payload: unknown }[] = [];
  away = false;
  /** Thrown by the next publications, one each. */
  readonly failures: Error[] = [];
  readonly answers: Readonly<Record<string, (payload: never) => unknown>>;
  readonly #listeners = new Set<(status: NodeBusStatus) => void>();
  readonly #bells = new Set<() => void>();

  constructor(answers: Readonly<Record<string, (payload: never) => unknown>> = {}) {
    this.answers = answers;
  }

  publishFact: NodeBus['publishFact'] = async (contract, payload, { id }) => {
    if (this.away) throw new BusAwayError();
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.published.push({ type: contract.type, id, payload });
    return { stream: contract.stream, sequence: this.published.length, duplicate: false };
  };

  ask: NodeBus['ask'] = async (contract, payload) => {
    if (this.away) throw new BusAwayError();
    this.asked.push({ type: contract.type, payload });
    const answer = this.answers[contract.type];
    if (answer === undefined) throw new BusAwayError();
    return (await answer(payload as never)) as never;
  };

  signal(_contract: Contract, _payload: unknown): boolean {
    return !this.away;
  }

  onStatus(listener: (status: NodeBusStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onBell(listener: () => void): void {
    this.#bells.add(listener);
  }

  ring(): void {
    for (const bell of this.#bells) bell();
  }

  comeBack(): void {
    this.away = false;
    for (const listener of this.#listeners) listener({ state: 'connected' });
  }
}

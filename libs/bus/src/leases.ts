import type { Delivery } from './delivery.ts';
import { LEASE_MAX_MS, LEASE_RENEW_MS } from './limits.ts';

/**
 * Renews the lease of everything this process holds, so that long work is not handed to somebody else; but not for ever: a handler
 * that hangs would hold its message and its order key until the process dies.
 */
export class Leases {
  readonly #held: () => Iterable<Delivery>;
  readonly #maxMs: number;
  readonly #timer: NodeJS.Timeout;

  constructor(held: () => Iterable<Delivery>, options: { readonly maxMs?: number; readonly renewMs?: number } = {}) {
    this.#held = held;
    this.#maxMs = options.maxMs ?? LEASE_MAX_MS;
    this.#timer = setInterval(() => this.#renew(Date.now()), options.renewMs ?? LEASE_RENEW_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #renew(now: number): void {
    for (const delivery of this.#held()) {
      if (delivery.leaseLost) continue;
      if (delivery.startedAt === undefined || now - delivery.startedAt < this.#maxMs) delivery.working();
      else lose(delivery);
    }
  }
}

function lose(delivery: Delivery): void {
  delivery.leaseLost = true;
  delivery.context.abort();
}

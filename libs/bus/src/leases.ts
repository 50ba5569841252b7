import type { Delivery } from './delivery.ts';
import { LEASE_MAX_MS, LEASE_RENEW_MS } from './limits.ts';

/**
 * Renews the lease of everything this process holds, so that long work is not handed to somebody else; but not for ever: a handler
 * that hangs would hold its message and its order key until the process dies.
 */
export class Leases {
  readonly #held = new Set<Delivery>();
  readonly #maxMs: number;
  readonly #timer: NodeJS.Timeout;

  constructor(options: { readonly maxMs?: number; readonly renewMs?: number } = {}) {
    this.#maxMs = options.maxMs ?? LEASE_MAX_MS;
    this.#timer = setInterval(() => this.#renew(Date.now()), options.renewMs ?? LEASE_RENEW_MS);
    this.#timer.unref();
  }

  hold(delivery: Delivery): void {
    this.#held.add(delivery);
  }

  release(delivery: Delivery): void {
    this.#held.delete(delivery);
  }

  /** What is held now; for hand-back at shutdown. */
  get held(): readonly Delivery[] {
    return [...this.#held];
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #renew(now: number): void {
    for (const delivery of this.#held) {
      if (delivery.startedAt === undefined || now - delivery.startedAt < this.#maxMs) delivery.working();
      else this.#lose(delivery);
    }
  }

  #lose(delivery: Delivery): void {
    this.#held.delete(delivery);
    delivery.leaseLost = true;
    delivery.context.abort();
  }
}

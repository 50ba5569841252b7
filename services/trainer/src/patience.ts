import { isRetryable } from '@edgeloop/bus';
import { backoffMs, sleep } from '@edgeloop/runtime';

/** Pauses between tries of what the store or the bus could not do just now. */
export const PATIENCE_BACKOFF = { firstMs: 500, maxMs: 15_000 } as const;

export interface Patience {
  /** Clock of `until`, ms. */
  readonly now: () => number;
  /** Nothing is tried again from then on. */
  readonly until: number;
  /** Ends the patience, not the try that is under way. */
  readonly signal: AbortSignal;
  /** Told of every failure that is tried again. */
  readonly onFailure: (cause: unknown) => void;
}

/** Does the work again as long as it fails for a time only; throws what it threw last. */
export async function patiently<T>(work: () => Promise<T>, { now, until, signal, onFailure }: Patience): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      if (!isRetryable(cause) || signal.aborted || now() >= until) throw cause;
      onFailure(cause);
      await sleep(Math.min(backoffMs(attempt, PATIENCE_BACKOFF, Math.random()), Math.max(0, until - now())), signal);
    }
  }
}

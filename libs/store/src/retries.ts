import { backoffMs, sleep } from '@edgeloop/runtime';
import type { ObjectAt } from './object-store.ts';
import { isRetryable, retryAfterMs, storeErrorOf } from './s3-failure.ts';

export interface RetryLimits {
  readonly attemptsMax: number;
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Bridges a restart of the store of a few seconds; whatever lasts longer is for the caller's redelivery. */
export const STORE_RETRIES: RetryLimits = { attemptsMax: 6, firstMs: 100, maxMs: 2_000 };

/** A server may ask for a long pause; we do not wait for more than this inside one call. */
const RETRY_AFTER_MAX_MS = 5_000;

/** Repeats what may succeed later, with jitter, and throws our own errors only. */
export async function withRetries<T>(at: ObjectAt, limits: RetryLimits, attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (failure) {
      if (attempts >= limits.attemptsMax || !isRetryable(failure)) throw storeErrorOf(at, failure, attempts);
      const asked = Math.min(retryAfterMs(failure) ?? 0, RETRY_AFTER_MAX_MS);
      await sleep(Math.max(asked, backoffMs(attempts - 1, limits, Math.random())));
    }
  }
}

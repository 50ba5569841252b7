import { sleep } from '@edgeloop/runtime';

/** Waits for the work, but not longer than `ms`; leaves no timer behind. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, sleep(ms, timer.signal)]);
  timer.abort();
}

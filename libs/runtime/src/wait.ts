/** Resolves after `ms`, or earlier (without error) when the signal aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Exponential back-off with full jitter: `chance` in [0,1) is an input. */
export function backoffMs(attempt: number, limits: { firstMs: number; maxMs: number }, chance: number): number {
  return Math.round(Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(attempt, 30)) * (0.5 + chance / 2));
}

/** The work's result, or the signal's reason as soon as it aborts; the work itself goes on and its result is dropped. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  });
}

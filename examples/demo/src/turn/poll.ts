import { sleep } from '@edgeloop/runtime';
import { TurnTimeoutError } from '../narration/turn-log.ts';

const EVERY_MS = 500;

/** Asks until the answer is there; a question that fails is asked again. @throws TurnTimeoutError */
export async function pollUntil<T>(
  wait: { readonly what: string; readonly limitMs: number; readonly signal: AbortSignal },
  probe: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + wait.limitMs;
  while (Date.now() < deadline) {
    wait.signal.throwIfAborted();
    const answer = await probe().catch(() => undefined);
    if (answer !== undefined) return answer;
    await sleep(EVERY_MS, wait.signal);
  }
  wait.signal.throwIfAborted();
  throw new TurnTimeoutError(wait.what, wait.limitMs);
}

type Asked<T> = { readonly answer: T } | { readonly refusal: unknown };

/** Asks a service that may just be starting again; a refusal is an answer and is thrown at once. The question must bear repetition. */
export async function askPatiently<T>(wait: Parameters<typeof pollUntil>[0], ask: () => Promise<T>): Promise<T> {
  const asked = await pollUntil<Asked<T>>(wait, () =>
    ask().then(
      (answer) => ({ answer }),
      (cause: unknown) => {
        if ((cause as { retryable?: boolean } | null)?.retryable === false) return { refusal: cause };
        throw cause;
      },
    ),
  );
  if ('refusal' in asked) throw asked.refusal;
  return asked.answer;
}

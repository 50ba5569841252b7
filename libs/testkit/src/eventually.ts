export interface EventuallyOptions {
  /** How long the assertion may fail before its last failure is thrown. */
  readonly deadlineMs?: number;
  readonly pollMs?: number;
}

const DEADLINE_MS = 10_000;
const POLL_MS = 25;

/** Repeats the assertion until it no longer throws, and returns what it returned; its last failure is thrown at the deadline. */
export async function eventually<T>(assertion: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const deadline = Date.now() + (options.deadlineMs ?? DEADLINE_MS);
  for (;;) {
    try {
      return await assertion();
    } catch (failure) {
      if (Date.now() >= deadline) throw failure;
      await new Promise((resolve) => setTimeout(resolve, options.pollMs ?? POLL_MS));
    }
  }
}

import type { Logger } from './log.ts';
import { sleep } from './wait.ts';

export interface Repeating {
  /** Ends after the run that is going on. */
  stop(): Promise<void>;
}

/** Each pause is shortened or stretched by up to this share, so that replicas do not march in step. */
const JITTER_SHARE = 0.1;

/** Runs a task again and again, never twice at once; a run that fails is logged and the next one comes all the same. */
export function repeat(task: { name: string; everyMs: number; run: () => Promise<unknown> }, log: Logger): Repeating {
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    for (;;) {
      await sleep(task.everyMs * (1 - JITTER_SHARE + Math.random() * 2 * JITTER_SHARE), stopping.signal);
      if (stopping.signal.aborted) return;
      await task
        .run()
        .catch((failure: unknown) => log.warn({ err: failure, task: task.name }, 'a repeated task failed, it will run again'));
    }
  };
  const running = loop();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

import { sleep, type Logger } from '@edgeloop/runtime';

export interface Repeating {
  /** Ends after the run that is going on. */
  stop(): Promise<void>;
}

/** Runs a task again and again, never twice at once, each pause shortened or stretched a little so that replicas do not march in step. */
export function repeat(task: { name: string; everyMs: number; run: () => Promise<unknown> }, log: Logger): Repeating {
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await sleep(task.everyMs * (0.9 + Math.random() / 5), stopping.signal);
      if (stopping.signal.aborted) return;
      await task
        .run()
        .catch((failure: unknown) => log.warn({ err: failure, task: task.name }, 'a repeated task failed, it will run again'));
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

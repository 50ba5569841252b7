import type { Logger } from './log.ts';
import { sleep } from './wait.ts';

export interface RepeatedTask {
  readonly name: string;
  /** Pause between the end of one run and the start of the next. */
  readonly everyMs: number;
  /** The first run comes without a pause before it. */
  readonly startsAtOnce?: boolean;
  readonly run: () => Promise<unknown>;
}

export interface Repeating {
  /** Ends after the run that is going on. */
  stop(): Promise<void>;
}

/** Each pause is shortened or stretched by up to this share, so that replicas do not march in step. */
const JITTER_SHARE = 0.1;
/** Timers take no more, and fire at once when given more. */
const PAUSE_MS_MAX = 2 ** 31 - 1;

/** Runs a task again and again, never twice at once; a run that fails is logged and the next one comes all the same. */
export function repeat(task: RepeatedTask, log: Logger): Repeating {
  const stopping = new AbortController();
  const running = loop(task, stopping.signal, log);
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function loop(task: RepeatedTask, stopping: AbortSignal, log: Logger): Promise<void> {
  for (let pauseMs = task.startsAtOnce === true ? 0 : pauseOf(task); ; pauseMs = pauseOf(task)) {
    await sleep(pauseMs, stopping);
    if (stopping.aborted) return;
    try {
      await task.run();
    } catch (failure) {
      log.warn({ err: failure, task: task.name }, 'a repeated task failed, it will run again');
    }
  }
}

function pauseOf({ everyMs }: RepeatedTask): number {
  return Math.min(PAUSE_MS_MAX, everyMs * (1 - JITTER_SHARE + Math.random() * 2 * JITTER_SHARE));
}

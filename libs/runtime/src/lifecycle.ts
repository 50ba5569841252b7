import type { Logger } from './log.ts';

/** A program that has not drained by then is ended the hard way. */
export const SHUTDOWN_BUDGET_MS = 10_000;

export interface Program {
  /** Stops intake, finishes or hands back what runs. Called once. */
  stop(): Promise<void>;
}

/**
 * Runs a program until SIGTERM, SIGINT or the loss of its parent's guard; a start that fails ends by `endFailedStart`.
 * Prints `ready` on stdout when `start` resolved, for supervisors.
 */
export async function runProgram(name: string, log: Logger, start: () => Promise<Program>): Promise<void> {
  let program: Program;
  try {
    program = await start();
  } catch (cause) {
    endFailedStart(name, log, cause);
  }
  // Supervisors wait for this line, however little else is logged.
  log.child({}, { level: 'info' }).info('ready');
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), SHUTDOWN_BUDGET_MS).unref();
    program.stop().then(
      () => process.exit(0),
      (cause: unknown) => {
        log.error({ err: cause }, 'did not stop cleanly');
        process.exit(1);
      },
    );
  };
  // A Ctrl-C comes more than once when npm runs the program: from the terminal, and passed on. A second one must not cut the stop short.
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
}

/**
 * Ends a program that cannot start: one line `<name>: <what to do>` on stderr, exit status 1. What led to it is logged, at `debug` only
 * where the line says all that its reader needs.
 */
export function endFailedStart(name: string, log: Logger, cause: unknown): never {
  log[saysWhatToDo(cause) ? 'debug' : 'fatal']({ err: cause }, 'cannot start');
  process.stderr.write(`${name}: ${wordsOf(cause)}\n`);
  process.exit(1);
}

/** Errors that this product foresaw say whether they are worth another try, and in their message what to do; the others are surprises. */
function saysWhatToDo(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && 'retryable' in cause && typeof cause.retryable === 'boolean';
}

function wordsOf(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'message' in cause ? String(cause.message) : String(cause);
}

import type { Logger } from './log.ts';

/** A program that has not drained by then is ended the hard way. */
export const SHUTDOWN_BUDGET_MS = 10_000;

export interface Program {
  /** Stops intake, finishes or hands back what runs. Called once. */
  stop(): Promise<void>;
}

/**
 * Runs a program until SIGTERM, SIGINT or the loss of its parent's guard; a start that fails prints one line and exits 1.
 * Prints `ready` on stdout when `start` resolved, for supervisors.
 */
export async function runProgram(name: string, log: Logger, start: () => Promise<Program>): Promise<void> {
  let program: Program;
  try {
    program = await start();
  } catch (cause) {
    log.fatal({ err: cause }, 'cannot start');
    process.stderr.write(`${name}: ${cause instanceof Error ? cause.message : String(cause)}\n`);
    process.exit(1);
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
  process.once('SIGTERM', () => stop('SIGTERM'));
  process.once('SIGINT', () => stop('SIGINT'));
}

import type { Logger } from '@edgeloop/runtime';
import type { LoggerService } from '@nestjs/common';

/** Nest's own lines, in the program's log: its chatter at start is for debugging. */
export class NestLogger implements LoggerService {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.#log.debug({ nest: rest }, String(message));
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.#log.trace({ nest: rest }, String(message));
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.#log.trace({ nest: rest }, String(message));
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.#log.warn({ nest: rest }, String(message));
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.#log.error({ nest: rest }, String(message));
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.#log.fatal({ nest: rest }, String(message));
  }
}

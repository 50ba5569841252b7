import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { DEFAULT_DATA_DIR } from '../connection.ts';

export interface CommonOptions {
  readonly data: string;
  readonly json?: boolean;
}

/** Options of every command that asks a running stack. */
export function asking(command: Command): Command {
  return command
    .option('--data <folder>', 'data folder of the running stack', process.env['EDGELOOP_DATA'] ?? DEFAULT_DATA_DIR)
    .option('--json', 'print JSON');
}

/** Most that a list shows at once. */
export const LIMIT_MAX = 1000;

/** A parser of an option's argument. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}.`);
    return value;
  };
}

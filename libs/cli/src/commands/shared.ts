import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { z } from 'zod';
import { DEFAULT_DATA_DIR } from '../connection.ts';

export interface CommonOptions {
  /** Undefined: nobody named a folder. */
  readonly data?: string;
  readonly json?: boolean;
}

/** Options of every command that asks a running stack. */
export function asking(command: Command): Command {
  return command
    .option(
      '--data <folder>',
      `data folder of the running stack (default: $EDGELOOP_DATA, else ${DEFAULT_DATA_DIR}; where nothing runs there, the one of "npm start")`,
    )
    .option('--json', 'print JSON');
}

/** Of ids that name no shorter limit. */
const ID_LENGTH_MAX = 128;
const REASON_LENGTH_MAX = 500;

/** Most that a list shows at once. */
export const LIMIT_MAX = 1000;

/** A parser of an argument that names something; the bus takes no other names. */
export function idOf(what: string, schema: z.ZodType<string>): (text: string) => string {
  return (text) => {
    if (schema.safeParse(text).success) return text;
    const { maxLength } = z.toJSONSchema(schema);
    throw new InvalidArgumentError(
      `${what} holds letters, digits, "-" and "_", begins with a letter or a digit, and is at most ${maxLength ?? ID_LENGTH_MAX} long.`,
    );
  };
}

/** A parser of a short name. */
export function nameText(lengthMax: number): (text: string) => string {
  return (text) => {
    if (text.trim() !== '' && text.length <= lengthMax) return text;
    throw new InvalidArgumentError(`expected 1 to ${lengthMax} characters.`);
  };
}

/** A parser of a reason that is kept with what it caused. */
export function reasonText(text: string): string {
  if (text.length <= REASON_LENGTH_MAX) return text;
  throw new InvalidArgumentError(`expected at most ${REASON_LENGTH_MAX} characters, not ${text.length}.`);
}

/** A parser of an option's argument. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}.`);
    return value;
  };
}

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

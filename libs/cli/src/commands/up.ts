import { resolve } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import pc from 'picocolors';
import { DEFAULT_DATA_DIR } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { SERVICES } from '../stack/programs.ts';
import { firstModelSettings } from '../stack/first-model.ts';
import { Stack } from '../stack/stack.ts';

interface UpOptions {
  readonly data: string;
  readonly logLevel: string;
  readonly trainFirst: boolean;
}

/** Resolves with the first signal that asks the process to end. */
export function endAsked(): Promise<NodeJS.Signals> {
  return new Promise((done) => {
    process.once('SIGINT', () => done('SIGINT'));
    process.once('SIGTERM', () => done('SIGTERM'));
  });
}

async function up(options: UpOptions): Promise<void> {
  const ending = new AbortController();
  const asked = endAsked().then(() => ending.abort(new UsageError('stopped before everything had started')));
  const stack = await Stack.start({
    dataDir: options.data,
    logLevel: options.logLevel,
    elsewhere: '--data another/folder',
    services: options.trainFirst ? firstModelSettings(process.env) : {},
    signal: ending.signal,
    onProgress: (text) => process.stderr.write(`starting ${text}\n`),
  });
  stack.supervisor.on('exited', ({ name, expected, cause, code, signal }) => {
    if (!expected)
      process.stderr.write(
        pc.yellow(
          `${name} ended (${cause?.reason ?? code ?? signal ?? 'unknown'}), it is started again; see ${resolve(options.data)}/logs/${name}.log\n`,
        ),
      );
  });
  process.stdout.write(
    `${SERVICES.length} services run; bus ${stack.environment['NATS_URL']}, store ${stack.environment['S3_ENDPOINT']}\nbeside it: "edgeloop label import DIR" brings labelled pictures in, "edgeloop run import MODEL.onnx" a first model, "edgeloop nodes invite" a camera; "edgeloop status" says how it stands. Ctrl-C stops it\n`,
  );
  await asked;
  process.stderr.write('stopping …\n');
  await stack.stop();
}

export function upCommand(program: Command): void {
  program
    .command('up')
    .description('starts the engines and all services on this machine, until Ctrl-C')
    .option('--data <folder>', 'where everything is kept', process.env['EDGELOOP_DATA'] ?? DEFAULT_DATA_DIR)
    .option('--train-first', 'train the first model from the pictures that are imported: keeps a part of them to judge it by', false)
    .addOption(new Option('--log-level <level>', 'of the services').choices(['debug', 'info', 'warn', 'error']).default('info'))
    .action(up);
}

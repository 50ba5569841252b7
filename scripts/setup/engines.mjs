/** Step 3: nats-server and SeaweedFS, by the very code that the product finds them with. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { isExecutable, ownUv } from './installer.mjs';
import { runCommand } from './run-command.mjs';
import { readStamp, writeStamp } from './stamps.mjs';

const STEP = 'engines';

/** Whoever brings a bus and a store of their own needs no engine to start; tests always run on the embedded ones. */
export function enginesNeeded(purpose, env) {
  return purpose === 'test' || !env.NATS_URL || !env.S3_ENDPOINT;
}

export function enginesFresh(context) {
  const stamp = readStamp(stampPath(context));
  return stamp?.hash === inputs(context) && Object.values(stamp.paths ?? {}).every(isExecutable);
}

export async function installEngines(context) {
  const { root, env, logFor, signal } = context;
  const logPath = logFor(STEP);
  const node = join(root, 'node_modules', '.bin', 'node');
  const program = join(root, 'libs', 'engines', 'dist', 'install.js');
  const own = ownUv(context.home);
  const installer = isExecutable(own) ? { EDGELOOP_UV: own } : {};
  const result = await runCommand(node, [program], {
    cwd: root,
    env: { ...installer, ...env, EDGELOOP_HOME: context.home },
    logPath,
    signal,
  });
  const told = result.output.trim().split('\n').at(-1) ?? '';
  if (result.code !== 0) throw new SetupError(STEP, told, logPath);
  writeStamp(stampPath(context), inputs(context), { paths: JSON.parse(told) });
  return { told: 'nats-server and SeaweedFS are in place' };
}

function inputs({ root, env }) {
  const lock = join(root, 'libs', 'engines', 'dist', 'engines-lock.js');
  const parts = [
    existsSync(lock) ? readFileSync(lock) : '',
    env.EDGELOOP_NATS_SERVER ?? '',
    env.EDGELOOP_WEED ?? '',
    `${process.platform}-${process.arch}`,
  ];
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

function stampPath({ home }) {
  return join(home, 'stamps', 'engines.json');
}

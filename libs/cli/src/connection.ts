import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { connectBus } from '@edgeloop/bus';
import type { Bus } from '@edgeloop/bus';
import { edgeloopHome } from '@edgeloop/engines';
import { createLogger } from '@edgeloop/runtime';
import { z } from 'zod';
import { UsageError } from './errors.ts';

/** Written by a running stack into its data folder, mode 0600: how to reach it. */
export const RUNNING_FILE = 'edgeloop.json';

export const RunningStack = z.object({
  pid: z.int().positive(),
  startedAt: z.iso.datetime(),
  environment: z.record(z.string(), z.string()),
});
export type RunningStack = z.output<typeof RunningStack>;

export const DEFAULT_DATA_DIR = '.edgeloop/data';
/** Where `npm start` keeps the turn's stack, below the home folder. */
export const DEMO_DATA_DIR = join('demo', 'turn', 'stack');

function parseRunning(text: string, path: string): RunningStack {
  try {
    return RunningStack.parse(JSON.parse(text));
  } catch (cause) {
    throw new UsageError(`${path} is not what a running stack writes: stop it and start it again`, { cause });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (cause) {
    // Somebody else's process may not be signalled, but lives.
    return (cause as { code?: string }).code === 'EPERM';
  }
}

/** The stack that runs in the folder; a killed one leaves its file behind. */
async function runningIn(dataDir: string): Promise<RunningStack | undefined> {
  const path = join(resolve(dataDir), RUNNING_FILE);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const running = parseRunning(text, path);
  return isAlive(running.pid) ? running : undefined;
}

/** Without a folder of its own named, the one that `npm start` plays its turn in is looked at too. */
async function findRunning(dataDir: string): Promise<RunningStack> {
  const places = dataDir === DEFAULT_DATA_DIR ? [dataDir, join(edgeloopHome(), DEMO_DATA_DIR)] : [dataDir];
  for (const place of places) {
    const running = await runningIn(place);
    if (running) return running;
  }
  throw new UsageError(
    `nothing runs in ${places.join(' or ')}: start it with "edgeloop up", name its folder with --data, or set NATS_URL and NATS_CREDS`,
  );
}

/** `$NATS_URL` wins; otherwise the stack that runs in the data folder. */
export async function environmentOf(dataDir: string): Promise<Readonly<Record<string, string | undefined>>> {
  return process.env['NATS_URL'] ? process.env : (await findRunning(dataDir)).environment;
}

export async function connect(dataDir: string): Promise<Bus> {
  const environment = await environmentOf(dataDir);
  const creds = environment['NATS_CREDS'];
  return connectBus({
    service: 'cli',
    url: environment['NATS_URL'] ?? '',
    log: createLogger('cli', 'error'),
    ...(creds ? { creds: { path: creds } } : {}),
  });
}

/** Connects, works, always lets go. */
export async function withBus<T>(dataDir: string, work: (bus: Bus) => Promise<T>): Promise<T> {
  const bus = await connect(dataDir);
  try {
    return await work(bus);
  } finally {
    await bus.drain();
  }
}

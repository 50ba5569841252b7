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

type Environment = Readonly<Record<string, string | undefined>>;

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

function nothingRunsIn(places: readonly string[]): UsageError {
  return new UsageError(
    `nothing runs in ${places.join(' or ')}: start it with "edgeloop up", name its folder with --data, or set NATS_URL and NATS_CREDS`,
  );
}

/** The stack of a folder that was named; never another one. */
async function runningInNamed(dataDir: string): Promise<RunningStack> {
  const running = await runningIn(dataDir);
  if (running === undefined) throw nothingRunsIn([dataDir]);
  return running;
}

/** Where no folder was named, the stack of `npm start` will do too, and it is said that it is that one. */
async function findRunning(): Promise<RunningStack> {
  const own = await runningIn(DEFAULT_DATA_DIR);
  if (own) return own;
  const demoDir = join(edgeloopHome(), DEMO_DATA_DIR);
  const demo = await runningIn(demoDir);
  if (demo === undefined) throw nothingRunsIn([DEFAULT_DATA_DIR, demoDir]);
  process.stderr.write(`edgeloop: nothing runs in ${DEFAULT_DATA_DIR}, so this is the loop of "npm start" in ${demoDir}\n`);
  return demo;
}

/**
 * How to reach the stack: the one in the folder that was named with `--data`; else `$NATS_URL`; else the one in `$EDGELOOP_DATA`; else
 * the one in the default folder, or that of `npm start`.
 * @throws UsageError when nothing runs there
 */
export async function environmentOf(dataDir: string | undefined): Promise<Environment> {
  if (dataDir !== undefined) return (await runningInNamed(dataDir)).environment;
  if (process.env['NATS_URL']) return process.env;
  const named = process.env['EDGELOOP_DATA'];
  return (await (named ? runningInNamed(named) : findRunning())).environment;
}

async function connectTo(environment: Environment): Promise<Bus> {
  const creds = environment['NATS_CREDS'];
  return connectBus({
    service: 'cli',
    url: environment['NATS_URL'] ?? '',
    log: createLogger('cli', 'error'),
    ...(creds ? { creds: { path: creds } } : {}),
  });
}

/** Connects, works, always lets go. */
export async function withBus<T>(dataDir: string | undefined, work: (bus: Bus, environment: Environment) => Promise<T>): Promise<T> {
  const environment = await environmentOf(dataDir);
  const bus = await connectTo(environment);
  try {
    return await work(bus, environment);
  } finally {
    await bus.drain();
  }
}

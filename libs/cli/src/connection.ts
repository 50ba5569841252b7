import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { connectBus } from '@edgeloop/bus';
import type { Bus } from '@edgeloop/bus';
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

async function readRunning(dataDir: string): Promise<RunningStack> {
  const path = join(resolve(dataDir), RUNNING_FILE);
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(
      `nothing runs in ${dataDir}: start it with "edgeloop up", name its folder with --data, or set NATS_URL and NATS_CREDS`,
    );
  });
  const running = RunningStack.safeParse(JSON.parse(text));
  if (!running.success) throw new UsageError(`${path} is not what a running stack writes: stop it and start it again`);
  return running.data;
}

/** `$NATS_URL` wins; otherwise the stack that runs in the data folder. */
export async function environmentOf(dataDir: string): Promise<Readonly<Record<string, string | undefined>>> {
  return process.env['NATS_URL'] ? process.env : (await readRunning(dataDir)).environment;
}

export async function connect(dataDir: string): Promise<Bus> {
  const environment = await environmentOf(dataDir);
  const creds = environment['NATS_CREDS'];
  return connectBus({ service: 'cli', url: environment['NATS_URL'] ?? '', ...(creds ? { creds: { path: creds } } : {}) });
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

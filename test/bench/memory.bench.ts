import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Stack } from '@edgeloop/cli';
import { StoreConfig, readConfig } from '@edgeloop/runtime';
import { storeFromConfig } from '@edgeloop/store';
import { BlockSite, blockPicture, writeFrames } from '../e2e/bad-releases/block-site.ts';
import { spreadOf } from './bench-result.ts';
import type { BenchResult } from './bench-result.ts';

const READINGS = 5;
const READ_EVERY_MS = 2_000;
const KIB_PER_MIB = 1024;

/** Proportional set size: pages that processes share count once in all. */
async function memoryMib(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? Number.NaN) / KIB_PER_MIB;
}

async function childrenOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')));
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

async function familyMib(pid: number): Promise<number> {
  const family = [pid, ...(await childrenOf(pid))];
  return (await Promise.all(family.map(memoryMib))).reduce((sum, each) => sum + each, 0);
}

async function startReference(stack: Stack, folder: string, model: Uint8Array): Promise<ChildProcess> {
  await writeFile(join(folder, 'model.onnx'), model);
  await writeFile(join(folder, 'picture.jpg'), await blockPicture(1));
  const script = join(dirname(fileURLToPath(import.meta.url)), 'memory-reference.js');
  const { NATS_URL = '', NATS_CREDS = '' } = stack.environment;
  const child = spawn(process.execPath, [script, NATS_URL, NATS_CREDS, join(folder, 'model.onnx'), join(folder, 'picture.jpg')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

/** Agent and model process of a node at work, against one process that has runtime, bus, picture decoder and the same model. */
export async function benchMemory(): Promise<BenchResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeloop-bench-'));
  await writeFrames(join(folder, 'frames'), 24);
  const stack = await Stack.start({ dataDir: join(folder, 'stack'), logLevel: 'warn', services: { rollout: { ROLLOUT_AUTO: 'off' } } });
  let reference: ChildProcess | undefined;
  try {
    const site = new BlockSite(stack, storeFromConfig(readConfig('bench', StoreConfig, { ...stack.environment })), join(folder, 'frames'));
    await site.release('v1', {});
    await site.startNodes(['cam-1']);
    await site.untilEnded(await site.rollOut('blocks-v1'));
    reference = await startReference(stack, folder, (await site.storeModel({})).bytes);
    const above: number[] = [];
    for (let reading = 0; reading < READINGS; reading += 1) {
      await new Promise((resolve) => setTimeout(resolve, READ_EVERY_MS));
      above.push((await familyMib(stack.supervisor.pid('cam-1') as number)) - (await memoryMib(reference.pid as number)));
    }
    return [
      {
        name: 'edge agent, memory above runtime, model, sharp and NATS',
        value: { ...spreadOf(above), unit: 'MiB' },
        bar: '<= 60 MiB',
        command: 'npm run bench -- memory',
      },
    ];
  } finally {
    reference?.kill('SIGKILL');
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

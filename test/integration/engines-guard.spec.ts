import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type GuardedProcess, spawnGuarded, startEngines } from '@edgeloop/engines';
import { engineEnvironment, eventually } from '@edgeloop/testkit';
import { isAlive } from './engines/processes.ts';

const ENV = { PATH: process.env.PATH };
/** Grace of the guard (2 s), twice, and a slow machine. */
const GONE = { deadlineMs: 20_000 };
/** Grandchildren are found by what /proc says. */
const onLinux = process.platform === 'linux' ? it : it.skip;

jest.setTimeout(180_000);

let folder: string;
let started: GuardedProcess[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeloop-guard-'));
  started = [];
});

afterEach(async () => {
  await Promise.all(started.map((process) => process.stop(0)));
  await rm(folder, { recursive: true, force: true });
});

async function run(script: string, logPath?: string): Promise<GuardedProcess> {
  const process_ = await spawnGuarded({ command: process.execPath, args: ['-e', script], env: ENV, logPath });
  started.push(process_);
  return process_;
}

async function startParent(): Promise<{ parent: ChildProcess; pids: number[] }> {
  const program = fileURLToPath(new URL('./engines/parent.ts', import.meta.url));
  const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));
  const parent = spawn(node, ['--conditions=@edgeloop/source', program, folder], {
    env: engineEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { parent, pids: JSON.parse(line.toString()) as number[] };
}

describe('a parent that is killed with SIGKILL', () => {
  onLinux('leaves no engine, no child that ignores SIGTERM and no grandchild behind', async () => {
    const { parent, pids } = await startParent();
    expect(pids).toHaveLength(3);
    for (const pid of pids) expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await eventually(() => expect(pids.filter(isAlive)).toEqual([]), GONE);
  });

  it('leaves a data folder that can be started on at once', async () => {
    const { parent, pids } = await startParent();
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const engines = await startEngines({ dataDir: folder, env: engineEnvironment(), only: 'nats' });
    // The new bus must never share its folder with the old one.
    expect(isAlive(pids[0] as number)).toBe(false);
    await engines.stop();
    await eventually(() => expect(pids.filter(isAlive)).toEqual([]), GONE);
  });
});

describe('a guarded process', () => {
  it('gets no variable but those it is given', async () => {
    const log = join(folder, 'env.log');
    const program = await run('console.log(JSON.stringify(Object.keys(process.env).sort()))', log);
    await program.exited;
    const seen = JSON.parse(await readFile(log, 'utf8')) as string[];
    expect(seen.filter((name) => !name.startsWith('__'))).toEqual(['EDGELOOP_GUARD', 'PATH']);
  });

  it('is ended by SIGTERM when it heeds it, and tells its status', async () => {
    const program = await run(
      "process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); console.log('up')",
      join(folder, 'a.log'),
    );
    await eventually(async () => expect(await readFile(join(folder, 'a.log'), 'utf8')).toContain('up'));
    expect(await program.stop(20_000)).toEqual({ code: 7, signal: null });
  });

  it('is ended by SIGKILL when it does not', async () => {
    const program = await run("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')", join(folder, 'b.log'));
    await eventually(async () => expect(await readFile(join(folder, 'b.log'), 'utf8')).toContain('up'));
    expect(await program.stop(50)).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await program.stop(50)).toEqual({ code: null, signal: 'SIGKILL' });
    expect(program.isAlive()).toBe(false);
    expect(program.kill('SIGKILL')).toBe(false);
  });

  it('that is not there fails with the reason', async () => {
    await expect(spawnGuarded({ command: '/nowhere/program', env: ENV })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('the guard', () => {
  it('that is dismissed touches nothing that is started after', async () => {
    for (let round = 0; round < 5; round += 1) {
      const first = await run('process.exit(0)');
      await first.exited;
      const second = await run("console.log('up'); setInterval(() => {}, 1000)", join(folder, `round-${round}.log`));
      await eventually(async () => expect(await readFile(join(folder, `round-${round}.log`), 'utf8')).toContain('up'));
      expect(second.isAlive()).toBe(true);
      await second.stop(20_000);
    }
  });
});

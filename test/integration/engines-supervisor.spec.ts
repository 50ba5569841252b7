import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type SupervisedProgram, Supervisor } from '@edgeloop/engines';
import { eventually } from '@edgeloop/testkit';
import { isAlive } from './engines/processes.ts';

const ENV = { PATH: process.env.PATH };
const SLEEPER = "console.log('up ' + process.pid); setInterval(() => {}, 1000)";

let folder: string;
let supervisor: Supervisor;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeloop-supervisor-'));
  supervisor = new Supervisor({ logDir: folder, backoff: { firstMs: 10, maxMs: 200, steadyMs: 60_000 } });
});

afterEach(async () => {
  await supervisor.stopAll(0);
  await rm(folder, { recursive: true, force: true });
});

function program(name: string, script: string, rest: Partial<SupervisedProgram> = {}): SupervisedProgram {
  return { name, command: process.execPath, args: ['-e', script], env: ENV, ...rest };
}

async function saysUp({ logPath }: { logPath: string }): Promise<boolean> {
  return (await readFile(logPath, 'utf8')).includes('up');
}

function eventsOf(kind: 'started' | 'exited' | 'restarted'): object[] {
  const seen: object[] = [];
  supervisor.on(kind, (event: object) => seen.push(event));
  return seen;
}

describe('supervisor', () => {
  it('resolves when a program is ready, and keeps its log', async () => {
    const started = eventsOf('started');
    await supervisor.start(program('one', SLEEPER, { isReady: saysUp }));
    const pid = supervisor.pid('one');
    expect(started).toEqual([{ name: 'one', pid }]);
    expect(await readFile(join(folder, 'one.log'), 'utf8')).toContain(`up ${pid}`);
    expect(supervisor.status()).toMatchObject([{ name: 'one', state: 'running', pid, restarts: 0 }]);
  });

  it('starts a program that was killed again, and says so', async () => {
    await supervisor.start(program('one', SLEEPER, { isReady: saysUp }));
    const [exited, restarted] = [eventsOf('exited'), eventsOf('restarted')];
    const before = supervisor.pid('one');
    expect(supervisor.kill('one')).toBe(true);
    await eventually(() => expect(restarted).toMatchObject([{ name: 'one', restarts: 1 }]));
    expect(exited).toMatchObject([{ name: 'one', expected: false, signal: 'SIGKILL' }]);
    expect(supervisor.pid('one')).not.toBe(before);
  });

  it('goes on trying while a program dies at its start, until it lives', async () => {
    const flag = join(folder, 'may-live');
    await writeFile(flag, '');
    const script = `if (!require('node:fs').existsSync(${JSON.stringify(flag)})) process.exit(3); ${SLEEPER}`;
    await supervisor.start(program('one', script, { isReady: saysUp }));
    await rm(flag);
    const exited = eventsOf('exited');
    supervisor.kill('one');
    await eventually(() => expect(exited.length).toBeGreaterThan(2));
    await writeFile(flag, '');
    await eventually(() => expect(supervisor.status()).toMatchObject([{ state: 'running' }]));
    expect(supervisor.status()[0]?.restarts).toBeGreaterThan(1);
  });

  it('says so to who waits for a start when the program is stopped meanwhile', async () => {
    const start = supervisor.start(program('one', SLEEPER, { isReady: saysUp }));
    await supervisor.stop('one');
    await expect(start).rejects.toMatchObject({ name: 'ProgramStartError', message: expect.stringContaining('stopped while it started') });
    expect(supervisor.status()).toMatchObject([{ name: 'one', state: 'ended', pid: undefined }]);
  });

  it('throws with the last lines when a program dies before it is ready', async () => {
    const dies = program('bad', "console.error('no configuration'); process.exit(2)", { isReady: async () => false });
    await expect(supervisor.start(dies)).rejects.toMatchObject({
      name: 'ProgramStartError',
      program: 'bad',
      lastLines: ['no configuration'],
      message: expect.stringContaining('it ended with 2'),
    });
    expect(supervisor.status()).toMatchObject([{ state: 'ended', restarts: 0 }]);
  });

  it('throws when a program stays silent, and ends it', async () => {
    await expect(supervisor.start(program('mute', SLEEPER, { isReady: async () => false, readyMs: 100 }))).rejects.toThrow(
      'not ready within 100 ms',
    );
    expect(supervisor.pid('mute')).toBeUndefined();
  });

  it('says why a program that died does not come back', async () => {
    const exited = eventsOf('exited');
    let comesUp = true;
    await supervisor.start(program('moody', SLEEPER, { isReady: () => Promise.resolve(comesUp), readyMs: 300 }));
    comesUp = false;
    supervisor.kill('moody');
    await eventually(() =>
      expect(exited).toContainEqual(
        expect.objectContaining({ name: 'moody', cause: expect.objectContaining({ reason: 'it was not ready within 300 ms' }) }),
      ),
    );
  });

  it('throws when there is no such program', async () => {
    await expect(supervisor.start({ name: 'none', command: '/nowhere/x', env: ENV })).rejects.toMatchObject({
      name: 'ProgramStartError',
      cause: { code: 'ENOENT' },
    });
  });

  it('leaves a program alone that is not to be restarted', async () => {
    const exited = eventsOf('exited');
    await supervisor.start(program('once', 'setTimeout(() => process.exit(4), 20)', { restarts: false }));
    await eventually(() => expect(exited).toMatchObject([{ name: 'once', code: 4 }]));
    expect(supervisor.status()).toMatchObject([{ state: 'ended', restarts: 0 }]);
  });

  it('stops all within its budget, even those that do not want to, and starts none again', async () => {
    const stubborn = `process.on('SIGTERM', () => {}); ${SLEEPER}`;
    await Promise.all([
      supervisor.start(program('kind', SLEEPER, { isReady: saysUp })),
      supervisor.start(program('stubborn', stubborn, { isReady: saysUp })),
    ]);
    const restarted = eventsOf('restarted');
    const pids = [supervisor.pid('kind'), supervisor.pid('stubborn')] as number[];
    await supervisor.stopAll(200);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(supervisor.status().map(({ state }) => state)).toEqual(['ended', 'ended']);
    expect(restarted).toEqual([]);
  });

  it('does not start a program again that is stopped while it waits for its next try', async () => {
    const slow = new Supervisor({ logDir: folder, backoff: { firstMs: 600_000, maxMs: 600_000, steadyMs: 60_000 } });
    await slow.start(program('one', SLEEPER, { isReady: saysUp }));
    slow.kill('one');
    await eventually(() => expect(slow.status()).toMatchObject([{ state: 'waiting' }]));
    await slow.stopAll(0);
    expect(slow.status()).toMatchObject([{ state: 'ended', pid: undefined }]);
  });

  it('refuses a second program of the same name', async () => {
    await supervisor.start(program('one', SLEEPER));
    await expect(supervisor.start(program('one', SLEEPER))).rejects.toThrow('supervised already');
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';

const RUNTIME = JSON.stringify(new URL('./index.ts', import.meta.url).href);

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Log lines, parsed. */
  readonly log: readonly Record<string, unknown>[];
  readonly stderr: string;
}

/** A program in a process of its own; `body` is the body of its `start`. */
function program(body: string, environment: Readonly<Record<string, string>> = {}): { child: ChildProcess; ended: Promise<Ended> } {
  const source = `import { createLogger, readConfig, BusConfig, runProgram } from ${RUNTIME};
    await runProgram('packager', createLogger('packager'), async () => { ${body} });`;
  const child = spawn(process.execPath, ['--conditions=@edgeloop/source', '--no-warnings', '--input-type=module', '-e', source], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (text: Buffer) => (said.stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => (said.stderr += text.toString()));
  const lines = () => said.stdout.split('\n').filter((line) => line !== '');
  const ended = new Promise<Ended>((done) => {
    child.once('close', (status, signal) =>
      done({ status, signal, stderr: said.stderr, log: lines().map((line) => JSON.parse(line) as Record<string, unknown>) }),
    );
  });
  return { child, ended };
}

const CONFIGURED = `readConfig('packager', BusConfig, { NATS_URL: '' });`;
const LINE = 'packager: cannot start: NATS_URL: set the address of the bus, for example nats://127.0.0.1:4222\n';

describe('a program that cannot start', () => {
  it('because of its settings says so in one line, once', async () => {
    expect(await program(CONFIGURED).ended).toEqual({ status: 1, signal: null, log: [], stderr: LINE });
  });

  it('logs the whole cause of that where it is asked for', async () => {
    const { log, stderr } = await program(CONFIGURED, { LOG_LEVEL: 'debug' }).ended;
    expect(stderr).toBe(LINE);
    expect(log).toEqual([
      expect.objectContaining({ level: 20, msg: 'cannot start', err: expect.objectContaining({ type: 'InvalidConfigError' }) }),
    ]);
  });

  it('names several problems in that line', async () => {
    const { stderr } = await program(`readConfig('packager', BusConfig, { LOG_LEVEL: 'shout' })`).ended;
    expect(stderr).toMatch(/^packager: cannot start: NATS_URL: set .+; LOG_LEVEL: .+\n$/);
  });

  it('because of something that nobody foresaw logs where it came from, and has a line too', async () => {
    const { status, log, stderr } = await program(`throw new TypeError('no such thing')`).ended;
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'packager: no such thing\n' });
    const err = expect.objectContaining({ type: 'TypeError', stack: expect.stringContaining('    at ') });
    expect(log).toEqual([expect.objectContaining({ level: 60, msg: 'cannot start', err })]);
  });

  it('has words for whatever was thrown', async () => {
    expect(await program(`throw 'a word'`).ended).toMatchObject({ status: 1, stderr: 'packager: a word\n' });
  });

  it('is not kept from saying so by a level of the log that is none', async () => {
    expect(await program(CONFIGURED, { LOG_LEVEL: 'shout' }).ended).toMatchObject({ status: 1, log: [], stderr: LINE });
  });
});

describe('a running program', () => {
  it('stops once, and cleanly, however often it is told to', async () => {
    // It tells itself twice while it stops: as npm does, which passes a Ctrl-C on that the program had from the terminal already.
    const { child, ended } = program(`
      const life = setInterval(() => undefined, 1e6);
      return { stop: async () => {
        for (const signal of ['SIGINT', 'SIGTERM']) process.kill(process.pid, signal);
        await new Promise((resolve) => setTimeout(resolve, 100));
        console.log(JSON.stringify({ msg: 'stopped' }));
        clearInterval(life);
      } };`);
    let stdout = '';
    child.stdout!.on('data', (text: Buffer) => (stdout += text.toString()));
    await eventually(() => expect(stdout).toContain('"msg":"ready"'));
    child.kill('SIGINT');
    const { status, log } = await ended;
    expect({ status, said: log.map(({ msg }) => msg) }).toEqual({ status: 0, said: ['ready', 'stopping', 'stopped'] });
  });
});

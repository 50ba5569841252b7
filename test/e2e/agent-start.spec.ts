import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';
import { EdgeSite, PATIENCE, SITE_START_MS } from '../integration/edge-node/edge-site.ts';

const COMMAND = fileURLToPath(new URL('../../edge-node/bin/edgeloop-node.mjs', import.meta.url));
const TEST_MS = 120_000;
const WARNING = 40;

type LogLine = Readonly<Record<string, unknown>>;

/** The agent as somebody starts it on a device: the built command, in a working folder, its output kept. */
class Agent {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stderr = '';
  #stdout = '';

  constructor(cwd: string, environment: Readonly<Record<string, string>>, node = process.execPath, args: readonly string[] = []) {
    const { PATH = '', HOME = '' } = process.env;
    // A group of its own: a Ctrl-C of a terminal reaches every process of the group.
    this.child = spawn(node, [COMMAND, ...args], {
      cwd,
      env: { PATH, HOME, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.child.stdout!.on('data', (text: Buffer) => (this.#stdout += text.toString()));
    this.child.stderr!.on('data', (text: Buffer) => (this.stderr += text.toString()));
    this.ended = new Promise((done) => this.child.once('close', (status) => done(status)));
  }

  get stdout(): string {
    return this.#stdout;
  }

  get log(): LogLine[] {
    const whole = this.#stdout.slice(0, this.#stdout.lastIndexOf('\n') + 1);
    return whole.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as LogLine]));
  }

  async said(message: string): Promise<LogLine> {
    return eventually(() => {
      const line = this.log.find(({ msg }) => msg === message);
      if (line === undefined) throw new Error(`"${message}" is not logged: ${this.#stdout.slice(-2000)}${this.stderr}`);
      return line;
    }, PATIENCE);
  }

  pressCtrlC(): void {
    this.signalAll('SIGINT');
  }

  signalAll(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.child.pid!, signal);
    } catch {
      // All of them are gone already.
    }
  }
}

let site: EdgeSite;
let folder: string;
const agents: Agent[] = [];

function start(environment: Readonly<Record<string, string>>, node?: string, args?: readonly string[]): Agent {
  const agent = new Agent(folder, environment, node, args);
  agents.push(agent);
  return agent;
}

/** What is set for a camera, and nothing else. */
function camera(nodeId: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { EDGELOOP_NODE_ID: nodeId, EDGELOOP_SOURCE: `folder:${site.frames}`, EDGELOOP_NODE_DIR: join(folder, nodeId), ...more };
}

/** The token with other credentials, as a copy with a damaged character has. */
function withDamagedSignature(token: string): string {
  const parts = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as { creds: string };
  const creds = parts.creds.replace(/^(ey[\w-]+\.[\w-]+\.)(.)/m, (_, front: string, first: string) => front + (first === 'A' ? 'B' : 'A'));
  return Buffer.from(JSON.stringify({ ...parts, creds })).toString('base64url');
}

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'edgeloop-agent-')));
  site = await EdgeSite.open(2);
}, SITE_START_MS);
afterEach(async () => {
  for (const agent of agents) agent.signalAll('SIGKILL');
  await Promise.all(agents.splice(0).map(({ ended }) => ended));
});
afterAll(async () => {
  await site?.close();
  await rm(folder, { recursive: true, force: true });
}, TEST_MS);

describe('an agent that cannot start', () => {
  it.each<[string, () => Record<string, string> | Promise<Record<string, string>>, () => RegExp]>([
    ['no source', () => ({}), () => /cannot start: EDGELOOP_SOURCE: say where frames come from, for example http:\/\/camera/],
    [
      'no identity, and a folder that nobody named',
      () => ({ EDGELOOP_SOURCE: `folder:${site.frames}` }),
      () =>
        new RegExp(
          `cannot start: this node \\(${folder}/.edgeloop/node\\) has no identity yet: set EDGELOOP_NODE_ID and EDGELOOP_JOIN_TOKEN`,
        ),
    ],
    [
      'a token with other text around it',
      async () => camera('cam-prose', { EDGELOOP_JOIN_TOKEN: `the token:\n${await site.invite('cam-prose')}\nvalid for an hour` }),
      () =>
        /the join token cannot be read, there is other text around it: give EDGELOOP_JOIN_TOKEN the first line that "edgeloop nodes invite"/,
    ],
    [
      'a token that the bus refuses',
      async () => camera('cam-refused', { EDGELOOP_JOIN_TOKEN: withDamagedSignature(await site.invite('cam-refused')) }),
      () =>
        new RegExp(
          `the bus at ${site.engines.environment.NATS_URL} refuses this join token \\(.+\\): a new one is needed.*"edgeloop nodes invite"`,
        ),
    ],
  ])(
    'because of %s says so in one line, once',
    async (_, environment, line) => {
      const agent = start(await environment());
      expect(await agent.ended).toBe(1);
      expect(agent.stderr).toMatch(new RegExp(`^edgeloop-node: ${line().source}.*\n$`));
      // The log says nothing of it, and above all nothing else.
      expect(agent.log).toEqual([]);
    },
    TEST_MS,
  );

  it('names an unknown flag without saying its own name twice', async () => {
    const agent = start({}, process.execPath, ['--speed']);
    expect(await agent.ended).toBe(1);
    expect(agent.stderr).toMatch(/^edgeloop-node: cannot start: Unknown option '--speed'.*see --help\n$/);
  });

  it(
    'for want of a bus names the address it tries, and goes on trying',
    async () => {
      const token = await site.invite('cam-away');
      const agent = start(camera('cam-away', { EDGELOOP_JOIN_TOKEN: token, NATS_URL: 'nats://127.0.0.1:1' }));
      expect(await agent.said('the bus is away; asking again')).toMatchObject({
        url: 'nats://127.0.0.1:1',
        why: expect.stringMatching(/refused/i),
      });
      expect(agent.child.exitCode).toBeNull();
    },
    TEST_MS,
  );
});

describe('an agent that starts', () => {
  it(
    'joins with a token from a file that ends in new lines, and ends by Ctrl-C without a word of trouble',
    async () => {
      const path = join(folder, 'token');
      await writeFile(path, `\n  ${await site.invite('cam-1')}\n\n`);
      const agent = start(camera('cam-1', { EDGELOOP_JOIN_TOKEN: path }));
      await agent.said('ready');
      await eventually(() => expect(site.lastBeat('cam-1')).toBeDefined(), PATIENCE);
      agent.pressCtrlC();
      // npm passes it on to a program that had it from the terminal already.
      agent.pressCtrlC();
      expect(await agent.ended).toBe(0);
      expect(agent.log.filter(({ level }) => Number(level) >= WARNING)).toEqual([]);
      expect(agent.log).toContainEqual(expect.objectContaining({ msg: 'bus', url: site.engines.environment.NATS_URL, state: 'connected' }));
      expect(agent.stdout).not.toContain('the source has ended');
      expect(agent.stderr).toBe('');
    },
    TEST_MS,
  );

  it(
    'still says that its source has ended when it has',
    async () => {
      const release = await site.publish({ version: 'v1', model: {} });
      const token = await site.invite('cam-2');
      const agent = start(
        camera('cam-2', { EDGELOOP_SOURCE: `folder-once:${site.frames}`, EDGELOOP_JOIN_TOKEN: token, EDGELOOP_SYNC_MS: '500' }),
      );
      await agent.said('ready');
      await site.assign('cam-2', release);
      expect(await agent.said('there are no more frames: the source has ended')).toMatchObject({ level: WARNING });
    },
    TEST_MS,
  );

  // The Node of the system, where it is one that npm may run on and the agent may not.
  const older = olderNode();
  (older === undefined ? it.skip : it)(
    `runs on the Node of the repository when an older one calls it (${older ?? 'there is none on this machine'})`,
    async () => {
      const agent = start(camera('cam-3', { EDGELOOP_JOIN_TOKEN: await site.invite('cam-3') }), older);
      await agent.said('ready');
      agent.child.kill('SIGTERM');
      expect(await agent.ended).toBe(0);
      expect(agent.log).toContainEqual(expect.objectContaining({ msg: 'stopping', signal: 'SIGTERM' }));
      expect(agent.stderr).toBe('');
    },
    TEST_MS,
  );
});

function olderNode(): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((path) => join(path, 'node'));
  return candidates.find((path) => {
    try {
      return Number(execFileSync(path, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' })) < 24;
    } catch {
      return false;
    }
  });
}

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';
import { demo, makeHome, removeHome, START_LIMIT_MS, UserProcess } from './bad-input/demo-process.ts';
import type { Ended } from './bad-input/demo-process.ts';
import { writeDataset } from './bad-input/photo-dataset.ts';
import { isAlive, processesOf, watchdogOf } from './bad-luck/processes.ts';
import { SmallDisk } from './bad-luck/small-disk.ts';

/** Longer than a killed program's children are given to end by themselves, on a busy machine. */
const GONE_LIMIT_MS = 30_000;
const TEST_LIMIT_MS = 2 * START_LIMIT_MS;
const STOPPED: Pick<Ended, 'status' | 'said'> = { status: 130, said: ['edgeloop: stopping; Ctrl-C again ends it at once'] };

jest.setTimeout(TEST_LIMIT_MS);

/** Enough for a first model, when a part of them goes to the stream. */
const PHOTOS = 240;

let home: string;
let dataset: string;
let running: UserProcess | undefined;

function start(environment: Readonly<Record<string, string>> = {}, at: string = home): UserProcess {
  // Photos are read in a second, where drawing a worksite takes several; the first model is trained at once.
  running = new UserProcess('demo', ['--once', '--nodes', '2', '--dataset', dataset], { EDGELOOP_HOME: at, ...environment });
  return running;
}

async function nothingRuns(folder: string = home): Promise<void> {
  await eventually(() => expect(processesOf(folder)).toEqual([]), { deadlineMs: GONE_LIMIT_MS });
}

beforeAll(async () => {
  home = await makeHome();
  dataset = await writeDataset(join(home, 'photos'), {
    classes: 'helmet\nhead\n',
    photos: PHOTOS,
    labels: (photo) => `${photo % 2} 0.5 0.5 0.4 0.4\n`,
  });
}, START_LIMIT_MS);

afterEach(async () => {
  await running?.end('SIGKILL');
  running = undefined;
}, START_LIMIT_MS);

afterAll(async () => {
  await nothingRuns();
  await removeHome(home);
}, START_LIMIT_MS);

describe('Ctrl-C', () => {
  it.each([
    ['before anything runs', 'one turn of the loop'],
    ['while the engines start', 'starting engines'],
    ['while the services start', 'starting services 1/'],
    ['while the first pictures go in', 'The first model'],
  ])(
    '%s ends it with one line and leaves nothing running',
    async (_, printed) => {
      const turn = start();
      await turn.untilPrinted(printed);
      expect(await turn.end('SIGINT')).toMatchObject(STOPPED);
      expect(processesOf(home)).toEqual([]);
    },
    TEST_LIMIT_MS,
  );
});

describe('edgeloop up', () => {
  it('ended while its services start leaves nothing running', async () => {
    const data = join(home, 'up');
    const up = new UserProcess('edgeloop', ['up', '--data', data], { EDGELOOP_HOME: home });
    await eventually(() => expect(up.said).toContainEqual(expect.stringMatching(/^starting services 1\//)), { deadlineMs: START_LIMIT_MS });
    const { status, said } = await up.end('SIGINT');
    expect({ status, last: said.at(-1) }).toEqual({ status: 1, last: 'edgeloop: stopped before everything had started' });
    expect(processesOf(data)).toEqual([]);
  });
});

describe('a turn that trains', () => {
  let turn: UserProcess;
  let watchdog: number | undefined;

  beforeAll(async () => {
    turn = new UserProcess('demo', ['--once', '--nodes', '2', '--dataset', dataset], { EDGELOOP_HOME: home });
    await turn.untilPrinted('step train');
    await eventually(
      () => expect(processesOf(home).map(({ command }) => command)).toContainEqual(expect.stringMatching(/python.*train\.py/)),
      {
        deadlineMs: START_LIMIT_MS,
      },
    );
    watchdog = watchdogOf(turn.pid)?.pid;
  }, TEST_LIMIT_MS);
  afterAll(() => turn.end('SIGKILL'), START_LIMIT_MS);

  it('is not disturbed by a second start, which says who is running', async () => {
    const before = processesOf(home).length;
    const { status, said } = await demo(home, ['--once']);
    expect({ status, said }).toEqual({
      status: 1,
      said: [
        expect.stringMatching(
          new RegExp(`^edgeloop: edgeloop already runs on .*demo \\(pid ${turn.pid}, .*Stop it first .*EDGELOOP_HOME=`),
        ),
      ],
    });
    expect(turn.child.exitCode).toBeNull();
    expect(processesOf(home).length).toBeGreaterThanOrEqual(before);
  });

  it('leaves no orphan when it is killed: no engine, service, node or step', async () => {
    const commands = processesOf(home).map(({ command }) => command);
    for (const part of [/nats-server/, /weed/, /services\/trainer/, /edge-node/, /train\.py/])
      expect(commands).toContainEqual(expect.stringMatching(part));
    expect(await turn.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
    await nothingRuns();
    await eventually(() => expect(watchdog === undefined || isAlive(watchdog)).toBe(false), { deadlineMs: GONE_LIMIT_MS });
  });

  it(
    'starts again after that, and ends clean',
    async () => {
      const again = start();
      await again.untilPrinted('starting services 1/');
      expect(await again.end('SIGTERM')).toMatchObject(STOPPED);
      expect(processesOf(home)).toEqual([]);
    },
    TEST_LIMIT_MS,
  );
});

describe('a part that cannot start', () => {
  it(
    'because its port is in use: one line names it, the log has the cause, the rest is ended',
    async () => {
      const taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const { port } = taken.address() as AddressInfo;
      try {
        const { status, said } = await start({ LABELING_HTTP_PORT: String(port) }).ended;
        expect({ status, said }).toEqual({
          status: 1,
          said: [expect.stringMatching(new RegExp(`labeling-bridge: 127.0.0.1:${port} is used by another program: stop that one`))],
        });
        expect(processesOf(home)).toEqual([]);
        expect(await readFile(join(home, 'demo', 'failure.log'), 'utf8')).toContain('EADDRINUSE');
      } finally {
        taken.close();
      }
    },
    TEST_LIMIT_MS,
  );

  it('because a bus of its own is named without its store: says which variables are missing', async () => {
    const { status, said } = await start({ S3_ENDPOINT: 'http://127.0.0.1:9' }).ended;
    expect({ status, said }).toEqual({
      status: 1,
      said: [expect.stringMatching(/S3_ENDPOINT is set, so S3_ACCESS_KEY_ID and .* must be set too/)],
    });
  });
});

describe('a disk that', () => {
  let disk: SmallDisk | undefined;
  let at: string;

  beforeAll(async () => {
    disk = await SmallDisk.mount(900);
    if (disk) at = await makeHome({ at: join(disk.path, 'home') });
  });
  afterAll(() => disk?.unmount());

  it(
    'runs full while the services start ends the turn in good order',
    async () => {
      if (!disk) return;
      const turn = start({}, at);
      await turn.untilPrinted('starting services 1/');
      await disk.leaveFree(40);
      const { status, said } = await turn.ended;
      expect({ status, said }).toEqual({
        status: 1,
        said: [
          expect.stringMatching(
            /only \d+ MiB are free on the disk of .*, 64 are needed: make room there, or name a folder on another disk/,
          ),
        ],
      });
      expect(processesOf(at)).toEqual([]);
    },
    TEST_LIMIT_MS,
  );

  it('has too little room is told before anything starts', async () => {
    if (!disk) return;
    const { status, said, stdout } = await start({}, at).ended;
    expect({ status, said }).toEqual({
      status: 1,
      said: [expect.stringMatching(/only \d+ MiB are free .*, 512 are needed: make room there/)],
    });
    expect(stdout).not.toContain('starting');
  });

  it('has no room at all is told too', async () => {
    if (!disk) return;
    await disk.leaveFree(0);
    const { status, said } = await start({}, at).ended;
    expect({ status, said }).toEqual({
      status: 1,
      said: [expect.stringMatching(/the disk of .* is full: make room there|only 0 MiB are free/)],
    });
  });

  it(
    'has room again is all it takes',
    async () => {
      if (!disk) return;
      await disk.leaveFree(900);
      const turn = start({}, at);
      await turn.untilPrinted('starting engines');
      expect(await turn.end('SIGINT')).toMatchObject(STOPPED);
    },
    TEST_LIMIT_MS,
  );
});

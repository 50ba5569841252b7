import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { edgeloop, makeHome, removeHome, START_LIMIT_MS, UserProcess } from './bad-input/demo-process.ts';
import type { Ended } from './bad-input/demo-process.ts';
import { processesOf } from './bad-luck/processes.ts';

// Every step is a process or more, and other suites run beside this one.
jest.setTimeout(START_LIMIT_MS);

/** A process id that no system gives out. */
const NOBODY = 99_999_999;

const oneLine = (line: RegExp) => ({ status: 1, said: [expect.stringMatching(line)] });
const outcome = ({ status, said }: Ended) => ({ status, said });

describe('edgeloop without a running loop', () => {
  let folder: string;
  const data = (name: string): string => join(folder, name);
  const ask = (...args: string[]) => edgeloop(args, { EDGELOOP_HOME: folder });

  async function running(name: string, text: string): Promise<string> {
    await mkdir(data(name));
    await writeFile(join(data(name), 'edgeloop.json'), text);
    return data(name);
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgeloop-cli-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([[['--help']], [['rollout', '--help']], [['nodes', 'invite', '--help']]])('%j helps', async (args) => {
    const { status, said, stdout } = await ask(...args);
    expect({ status, said }).toEqual({ status: 0, said: [] });
    expect(stdout).toContain(`Usage: ${['edgeloop', ...args.slice(0, -1)].join(' ')}`);
  });

  it.each(['status', 'rollout', 'dead'])('%s says that nothing runs and what to do', async (command) => {
    expect(outcome(await ask(command, '--data', data('nowhere')))).toEqual(
      oneLine(/^edgeloop: nothing runs in .*nowhere: start it with "edgeloop up", name its folder with --data/),
    );
  });

  it('is not misled by what a killed loop left behind', async () => {
    const environment = { NATS_URL: 'nats://127.0.0.1:9' };
    const left = await running('left', JSON.stringify({ pid: NOBODY, startedAt: new Date(0).toISOString(), environment }));
    expect(outcome(await ask('status', '--data', left))).toEqual(oneLine(/nothing runs in .*left/));
  });

  it('says so when the file of a running loop is not one', async () => {
    const damaged = await running('damaged', '{');
    expect(outcome(await ask('status', '--data', damaged))).toEqual(oneLine(/edgeloop.json is not what a running stack writes/));
  });

  it.each([
    [['nonsense'], /unknown command 'nonsense'/],
    [['status', '--colour'], /unknown option '--colour'/],
    [['rollout', 'show'], /missing required argument 'rollout'/],
    [['trace'], /missing required argument 'id'/],
    [['label', 'import'], /missing required argument 'folder'/],
    [['run', 'import'], /missing required argument 'model'/],
    [
      ['nodes', 'invite', '--node', 'a b'],
      /argument 'a b' is invalid. the name of a node holds letters, digits, "-" and "_", .* at most 64 long/,
    ],
    [['run', 'cancel', 'a.b'], /value 'a.b' is invalid .* the id of a run holds letters, digits/],
    [['releases', '--limit', 'x'], /argument 'x' is invalid. expected a whole number from 1/],
    [['nodes', 'invite', '--valid-minutes', '0'], /argument '0' is invalid. expected a whole number from 1/],
    [['up', '--log-level', 'shout'], /argument 'shout' is invalid. Allowed choices are debug, info, warn, error/],
  ])('%j is wrong usage', async (args, line) => {
    const { status, said } = await ask(...args);
    expect({ status, said }).toEqual(oneLine(line));
    expect(said[0]).toContain('--help');
  });
});

// One loop in its day, as a user has it after a minute: a model is out, one camera looks.
describe('edgeloop beside a running loop', () => {
  let home: string;
  let turn: UserProcess;
  const stack = (): string => join(home, 'demo', 'turn', 'stack');
  const ask = (...args: string[]) => edgeloop([...args, '--data', stack()], { EDGELOOP_HOME: home });
  const json = async (...args: string[]): Promise<unknown> => {
    const ended = await ask(...args, '--json');
    expect(outcome(ended)).toEqual({ status: 0, said: [] });
    return JSON.parse(ended.stdout);
  };

  beforeAll(async () => {
    home = await makeHome();
    turn = new UserProcess('demo', ['--once', '--nodes', '1'], { EDGELOOP_HOME: home });
    await turn.untilPrinted('cameras look at the drawn worksite');
  }, 2 * START_LIMIT_MS);
  afterAll(async () => {
    await turn.end('SIGKILL');
    await removeHome(home);
  }, START_LIMIT_MS);

  it('finds it without being told where, and tells how every service stands', async () => {
    const { status, said, stdout } = await edgeloop(['status'], { EDGELOOP_HOME: home });
    expect({ status, said }).toEqual({
      status: 0,
      said: [`edgeloop: nothing runs in .edgeloop/data, so this is the loop of "npm start" in ${stack()}`],
    });
    expect(stdout).toMatch(/fleet +1 node, 1 connected, 1 of 1 runs what it should/);
    for (const service of ['evidence', 'trainer', 'publisher', 'rollout', 'collector', 'labeling-bridge'])
      expect(stdout).toContain(service);
    expect(stdout).not.toContain('does not answer');
  });

  it('is not shown in place of a folder that was named', async () => {
    for (const named of ['.edgeloop/data', join(home, 'elsewhere')])
      expect(outcome(await edgeloop(['status', '--data', named], { EDGELOOP_HOME: home }))).toEqual(
        oneLine(/nothing runs in \S+: start it/),
      );
    expect(outcome(await edgeloop(['status'], { EDGELOOP_HOME: home, EDGELOOP_DATA: join(home, 'elsewhere') }))).toEqual(
      oneLine(/nothing runs in \S*elsewhere: start it/),
    );
  });

  it('prints JSON that programs can read', async () => {
    expect(Object.keys((await json('status')) as object)).toEqual([
      'nodes',
      'field',
      'runs',
      'releases',
      'rollouts',
      'samples',
      'datasets',
    ]);
    expect(await json('nodes')).toMatchObject([{ nodeId: 'cam-1', running: { releaseId: 'hardhat-v1' } }]);
    expect(await json('releases')).toMatchObject([{ releaseId: 'hardhat-v1' }]);
    expect(await json('rollout')).toMatchObject([{ releaseId: 'hardhat-v1', status: 'completed' }]);
    expect(await json('run')).toMatchObject([{ version: 'v1' }]);
    expect(await json('samples')).toMatchObject({ samples: expect.any(Array), accepted: expect.any(Number) });
    expect(await json('samples', 'campaigns')).toEqual(expect.any(Array));
    expect(await json('label')).toMatchObject({ datasets: [expect.objectContaining({ datasetId: expect.any(String) })] });
    expect(await json('dead')).toEqual([]);
    expect(await json('rollout', 'show', 'hardhat-v1')).toMatchObject({ releaseId: 'hardhat-v1' });
    expect(await json('nodes', 'invite', '--node', 'cam-9')).toMatchObject({ joinToken: expect.any(String) });
  });

  it('traces a release back to the run that it came of', async () => {
    const chain = (await json('trace', 'hardhat-v1')) as { type: string }[];
    expect(chain.map((each) => each.type).slice(-3)).toEqual(['run.completed', 'package.built', 'release.published']);
  });

  it('traces from the beginning of an id too', async () => {
    const { datasets } = (await json('label')) as { datasets: { datasetId: string }[] };
    const chain = (await json('trace', datasets[0]?.datasetId.slice(0, 10) ?? '')) as { type: string; subject: string }[];
    expect(chain.at(-1)).toMatchObject({ type: 'dataset.snapshotted', subject: expect.stringContaining(datasets[0]?.datasetId ?? '-') });
  });

  it('gives a join token alone, so that a shell can keep it', async () => {
    const { status, stdout, said } = await ask('nodes', 'invite');
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^[\w-]+\n$/) });
    expect(said.join('\n')).toMatch(/valid until .*\n +EDGELOOP_JOIN_TOKEN=.* npx edgeloop-node$/);
  });

  it.each([
    [['rollout', 'show', 'r-unknown'], /there is no rollout r-unknown: "edgeloop rollout" lists them/],
    [['rollout', 'pause', 'r-unknown'], /no rollout r-unknown: "edgeloop rollout" lists those that exist/],
    [['rollout', 'start', 'hardhat-v99'], /hardhat-v99/],
    [['trace', 'nothing-like-it'], /nothing in the streams is about nothing-like-it: give the id of/],
  ])('%j: an unknown id is one line', async (args, line) => {
    expect(outcome(await ask(...args))).toEqual(oneLine(line));
  });

  it('says that a run to be cancelled does not run', async () => {
    const line = /run-unknown does not run, so nothing was stopped: "edgeloop run" lists the runs/;
    expect(outcome(await ask('run', 'cancel', 'run-unknown'))).toEqual(oneLine(line));
    const { stdout, ...asJson } = await ask('run', 'cancel', 'run-unknown', '--json');
    expect(outcome({ stdout, ...asJson })).toEqual(oneLine(line));
    expect(JSON.parse(stdout)).toEqual({ cancelled: false });
  });

  it(
    'Ctrl-C in the day ends the loop with one line and leaves nothing running',
    async () => {
      const { status, said } = await turn.end('SIGINT');
      expect({ status, said }).toEqual({ status: 130, said: ['edgeloop: stopping; Ctrl-C again ends it at once'] });
      expect(processesOf(home)).toEqual([]);
      expect(outcome(await ask('status'))).toEqual(oneLine(/nothing runs in/));
    },
    START_LIMIT_MS,
  );
});

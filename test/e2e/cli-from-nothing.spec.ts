import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { blockDetector, eventually, writeOnnx } from '@edgeloop/testkit';
import { edgeloop, makeHome, removeHome, START_LIMIT_MS, UserProcess } from './bad-input/demo-process.ts';
import type { Ended } from './bad-input/demo-process.ts';
import { cutPhoto, writeDataset } from './bad-input/photo-dataset.ts';

// Every step is a process or more, and other suites run beside this one.
jest.setTimeout(START_LIMIT_MS);

/** What took longer than two seconds told how far it was: those lines are no words of an end. */
const told = ({ said }: Ended): string[] => said.filter((line) => line.startsWith('edgeloop: '));
const oneLine = (line: RegExp) => ({ status: 1, said: [expect.stringMatching(line)] });
const outcome = (ended: Ended) => ({ status: ended.status, said: told(ended) });

const classifier = (): Uint8Array =>
  writeOnnx({
    graph: {
      nodes: [{ op: 'GlobalAveragePool', inputs: ['images'], outputs: ['output0'] }],
      inputs: [{ name: 'images', dims: [1, 3, 32, 32] }],
      outputs: [{ name: 'output0', dims: [1, 3, 1, 1] }],
    },
    metadata: { names: "['red', 'blue']" },
  });

// What a user does who has nothing yet: labelled pictures first, then a model.
describe('edgeloop up, from nothing', () => {
  let home: string;
  let up: UserProcess;
  const data = (): string => join(home, 'data');
  const place = (name: string): string => join(home, name);
  const ask = (...args: string[]) => edgeloop([...args, '--data', data()], { EDGELOOP_HOME: home });
  const asked = async (...args: string[]): Promise<unknown> => {
    const ended = await ask(...args, '--json');
    expect(outcome(ended)).toEqual({ status: 0, said: [] });
    return JSON.parse(ended.stdout);
  };
  const blocks = (name: string, labels?: (photo: number) => string): Promise<string> =>
    writeDataset(place(name), { classes: 'red\nblue\n', photos: 12, labels });
  async function file(name: string, bytes: Uint8Array): Promise<string> {
    await writeFile(place(name), bytes);
    return place(name);
  }

  beforeAll(async () => {
    home = await makeHome();
    up = new UserProcess('edgeloop', ['up', '--data', data()], { EDGELOOP_HOME: home });
    await up.untilPrinted('8 services run');
  }, 2 * START_LIMIT_MS);
  afterAll(async () => {
    await up.end('SIGINT');
    await removeHome(home);
  }, START_LIMIT_MS);

  it('a second one on the same folder is told what to write', async () => {
    const { status, said } = await ask('up');
    expect({ status, last: said.at(-1) }).toEqual({
      status: 1,
      last: expect.stringMatching(/already runs on .*data \(pid \d+, .*a data folder of its own \(--data another\/folder\)/),
    });
  });

  it.each([
    [['run', 'start'], /there is no dataset yet: bring labelled pictures in with "edgeloop label import DIR" first/],
    [['label', 'snapshot'], /there is no dataset yet, .*: bring labelled pictures in with "edgeloop label import DIR"/],
  ])('%j names the command that begins', async (args, line) => {
    expect(outcome(await ask(...args))).toEqual(oneLine(line));
  });

  it('a model is tried on pictures, so those come first', async () => {
    const model = await file('early.onnx', blockDetector());
    expect(outcome(await ask('run', 'import', model))).toEqual(
      oneLine(/there is no dataset yet to try the model on: .* "edgeloop label import DIR" first/),
    );
  });

  it('says which file and line of a folder is bad, and goes on without it when told so', async () => {
    const bad = await blocks('bad', (photo) => (photo === 3 ? '0 0.5 0.5 0.4 0.4\n0 NaN 0.5 0.4 0.4\n' : '1 0.5 0.5 0.4 0.4\n'));
    expect(outcome(await ask('label', 'import', bad))).toEqual(
      oneLine(/labels\/photo-003.txt:2: 'NaN' is not a number: mend the line, or pass --skip-bad/),
    );
    await cutPhoto(bad, 5);
    expect(await asked('label', 'import', bad, '--skip-bad')).toMatchObject({
      version: 1,
      pictures: 11,
      remarks: ['1 unreadable photos left out', '1 bad label lines left out'],
    });
  });

  it('takes a folder of labelled pictures, once', async () => {
    const folder = await blocks('blocks', (photo) => `${photo % 2} 0.5 0.5 0.4 0.4\n`);
    const imported = await asked('label', 'import', folder);
    expect(imported).toMatchObject({ datasetId: expect.stringMatching(/^ds-/), pictures: 12, boxes: 12, classes: ['red', 'blue'] });
    expect(await asked('label', 'import', folder)).toEqual(imported);
    const { datasets } = (await asked('label')) as { datasets: { datasetId: string; version: number }[] };
    expect(datasets.map(({ version }) => version)).toEqual([2, 1]);
    expect(datasets[0]).toMatchObject({ datasetId: (imported as { datasetId: string }).datasetId, items: 12 });
  });

  it('says which pictures contradict each other', async () => {
    const folder = await blocks('twice');
    await copyFile(join(folder, 'images', 'photo-001.jpg'), join(folder, 'images', 'photo-copy.jpg'));
    expect(outcome(await ask('label', 'import', folder))).toEqual(
      oneLine(/photo-001.jpg and .*photo-copy.jpg are the same picture with different boxes: remove one of them/),
    );
  });

  it.each([
    ['no.onnx', undefined, /no.onnx cannot be read \(there is no such file\): give an ONNX file/],
    [
      'text.onnx',
      () => Buffer.from('no weights'),
      /text.onnx cannot be the first model \(.*not a readable ONNX.*\): give an ONNX detector/,
    ],
    [
      'classifier.onnx',
      classifier,
      /classifier.onnx cannot be the first model \(output .* does not fit 2 class.*\): give an ONNX detector/,
    ],
    [
      'others.onnx',
      () => blockDetector({ metadata: { names: "{0: 'green', 1: 'blue'}" } }),
      /others.onnx knows green, and the dataset does not \(it names red, blue\).*: give a model of these classes/,
    ],
  ])('refuses the model %s', async (name, bytes, line) => {
    if (bytes !== undefined) await file(name, bytes());
    expect(outcome(await ask('run', 'import', place(name)))).toEqual(oneLine(line));
  });

  it('refuses --classes that are not those of the model', async () => {
    const model = await file('named.onnx', blockDetector());
    const classes = await file('other-classes.txt', Buffer.from('blue\nred\n'));
    expect(outcome(await ask('run', 'import', model, '--classes', classes))).toEqual(
      oneLine(/names its own classes \(red, blue\), and they are not those of .*: leave --classes out/),
    );
  });

  it('takes a model that does not name its classes, once, and it becomes a release', async () => {
    const silent = Buffer.from(Buffer.from(blockDetector()).toString('latin1').replace('names', 'nomen'), 'latin1');
    const model = await file('silent.onnx', silent);
    const classes = await file('classes.txt', Buffer.from('red\nblue\n'));
    const imported = (await asked('run', 'import', model, '--classes', classes)) as { runId: string };
    expect(imported).toMatchObject({
      runId: expect.stringMatching(/^run-import-/),
      version: 'v1',
      classes: ['red', 'blue'],
      remarks: [`${model} does not name its classes: taken to be those of ${classes}, red, blue`],
    });
    await eventually(async () => expect(await asked('releases')).toMatchObject([{ releaseId: 'hardhat-v1', runId: imported.runId }]), {
      deadlineMs: START_LIMIT_MS,
    });
    expect(await asked('run', 'import', model)).toMatchObject({ runId: imported.runId, status: 'completed' });
  });

  it('counts no node as failing that does not exist', async () => {
    const { stdout } = await ask('status');
    expect(stdout).toMatch(/fleet +no node has joined yet/);
    expect(stdout).not.toContain('0 of 0');
  });
});

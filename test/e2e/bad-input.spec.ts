import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { blockDetector, writeOnnx, yoloShapedModel } from '@edgeloop/testkit';
import { demo, makeHome, removeHome, START_LIMIT_MS, UserProcess } from './bad-input/demo-process.ts';
import type { Ended } from './bad-input/demo-process.ts';
import { cutPhoto, photoName, writeDataset } from './bad-input/photo-dataset.ts';

// Every step is a process or more, and other suites run beside this one.
jest.setTimeout(START_LIMIT_MS);

let home: string;
let folder: string;
let hardhats: string;

beforeAll(async () => {
  home = await makeHome();
  folder = await mkdtemp(join(tmpdir(), 'edgeloop-input-'));
  hardhats = await writeDataset(join(folder, 'hardhats'), {
    classes: 'helmet\nhead\n',
    labels: (photo) => `${photo % 2} 0.5 0.5 0.4 0.4\n`,
  });
}, START_LIMIT_MS);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await removeHome(home);
});

async function dataset(name: string, content: Parameters<typeof writeDataset>[1]): Promise<string> {
  return writeDataset(join(folder, name), content);
}

async function file(name: string, bytes: Uint8Array | string): Promise<string> {
  await writeFile(join(folder, name), bytes);
  return join(folder, name);
}

/** One line that says what to do, before anything was started. */
async function refuses(args: readonly string[], line: RegExp): Promise<Ended> {
  const ended = await demo(home, args);
  expect({ status: ended.status, said: ended.said }).toEqual({ status: 1, said: [expect.stringMatching(line)] });
  expect(ended.stdout).not.toContain('starting');
  expect(await readdir(join(home, 'demo', 'turn')).catch(() => [])).not.toContain('stack');
  return ended;
}

/** Preparation is passed: engines are being started. Ended there. */
async function begins(args: readonly string[]): Promise<string> {
  const running = new UserProcess('demo', args, { EDGELOOP_HOME: home });
  await running.untilPrinted('starting engines');
  const { stdout } = await running.end('SIGINT');
  await rm(join(home, 'demo', 'turn'), { recursive: true, force: true });
  return stdout;
}

describe('wrong usage', () => {
  it.each([
    [['--nodes', '0'], /'--nodes <n>' argument '0' is invalid. expected a whole number from 1 to 50/],
    [['--nodes', '51'], /whole number from 1 to 50/],
    [['--rounds', 'x'], /'--rounds <n>' argument 'x' is invalid. expected a whole number from 1 to 20/],
    [['--seed', '-1'], /expected a whole number from 0/],
    [['--rounds'], /'--rounds <n>' argument missing/],
    [['--forever'], /unknown option '--forever'/],
    [['photos'], /too many arguments/],
  ])('%j', async (args, line) => {
    const { said } = await refuses(args, line);
    expect(said[0]).toContain('npm start -- --help');
  });

  it('--help says what every option is for', async () => {
    const { status, stdout, said } = await demo(home, ['--help']);
    expect({ status, said }).toEqual({ status: 0, said: [] });
    for (const option of ['--once', '--dataset', '--stream', '--base', '--nodes', '--rounds', '--seed', '--chaos', '--report', '--keep'])
      expect(stdout).toContain(option);
  });

  it('leaves the last turn where it lies', async () => {
    const left = join(home, 'demo', 'turn', 'of-the-last-turn');
    await mkdir(join(left, '..'), { recursive: true });
    await writeFile(left, 'kept');
    await refuses(['--stream', hardhats], /--stream needs --dataset: give/);
    expect(await readFile(left, 'utf8')).toBe('kept');
  });

  it('--stream without --dataset', () => refuses(['--stream', hardhats], /--stream needs --dataset: give/));
  it('--base without --dataset', () => refuses(['--base', 'model.onnx'], /--base needs --dataset: give/));
  it('--report where a folder is', () => refuses(['--report', folder], /is a folder: give --report the name of a file/));
  it('--keep where nothing can be written', async () => {
    const taken = await file('taken', 'a file');
    await refuses(['--keep', join(taken, 'results')], /taken\/results cannot be written to \(ENOTDIR\): give another --keep/);
  });
});

describe('a dataset', () => {
  it('that is not there', () =>
    refuses(['--dataset', join(folder, 'nowhere')], /nowhere cannot be read \(there is no such folder\): give a folder/));

  it('that is a file', async () => {
    const path = await file('a-file', 'text');
    await refuses(['--dataset', path], /a-file cannot be read \(it is a file\): give a folder/);
  });

  it('that is empty', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty);
    await refuses(['--dataset', empty], /empty is empty: put JPEGs, their YOLO labels and a classes.txt there/);
  });

  it('without classes.txt', async () => {
    const bare = await dataset('bare', { classes: 'helmet\n', photos: 1 });
    await rm(join(bare, 'classes.txt'));
    await refuses(['--dataset', bare], /bare has no classes.txt: put one there/);
  });

  it('of zero classes', async () => {
    const none = await dataset('zero-classes', { classes: '\n', photos: 1 });
    await refuses(['--dataset', none], /zero-classes\/classes.txt names no class: write a class name per line/);
  });

  it('with a class named twice', async () => {
    const twice = await dataset('twice', { classes: 'helmet\nhelmet\n', photos: 1 });
    await refuses(['--dataset', twice], /classes.txt:2: class 'helmet' is named twice: write each class name once/);
  });

  it('of no photo', async () => {
    const none = await dataset('no-photos', { classes: 'helmet\n', photos: 0 });
    await refuses(['--dataset', none], /no-photos holds no readable photo: put JPEGs into .*images/);
  });

  it('of no labelled box', async () => {
    const none = await dataset('no-boxes', { classes: 'helmet\n', labels: () => '' });
    await refuses(['--dataset', none], /no-boxes has 90 photos and not one labelled box of helmet: label some in .*labels/);
  });

  it('too small to leave the cameras anything to see', async () => {
    const few = await dataset('few', { classes: 'helmet\nhead\n', photos: 6 });
    await refuses(['--dataset', few], /only \d photos are left for the cameras to see: give at least 20/);
  });

  it('that the stream repeats', () => refuses(['--dataset', hardhats, '--stream', hardhats], /only 0 photos are left for the cameras/));

  it('with a photo that is none', async () => {
    const bad = await dataset('text-photo', { classes: 'helmet\n', photos: 3 });
    await writeFile(join(bad, 'images', `${photoName(1)}.jpg`), 'no picture');
    await refuses(
      ['--dataset', bad],
      /photo-001.jpg is no readable photo \(.*neither JPEG nor PNG.*\): mend or remove it, or pass --skip-bad/,
    );
  });

  it('with a photo that ends half-way, though its beginning is right', async () => {
    const bad = await dataset('cut-photo', { classes: 'helmet\n', photos: 3 });
    await cutPhoto(bad, 2);
    await refuses(['--dataset', bad], /photo-002.jpg is no readable photo .*: mend or remove it, or pass --skip-bad/);
  });

  it.each([
    ['nan', '0 NaN 0.5 0.4 0.4\n', /photo-001.txt:1: 'NaN' is not a number: mend the line, or pass --skip-bad/],
    ['outside', '0 0.5 0.5 0.4 0.4\n0 1.5 0.5 0.4 0.4\n', /photo-001.txt:2: 1.5 is outside of 0..1: mend the line/],
    ['polygon', '0 0.1 0.1 0.2 0.2 0.3 0.3\n', /photo-001.txt:1: expected 5 fields .* got 7: mend the line/],
    ['unknown-class', '2 0.5 0.5 0.4 0.4\n', /photo-001.txt:1: class 2, but classes.txt names only 1: mend the line/],
  ])('with a bad label line: %s', async (name, line, said) => {
    const bad = await dataset(`labels-${name}`, {
      classes: 'helmet\n',
      photos: 3,
      labels: (photo) => (photo === 1 ? line : '0 0.5 0.5 0.4 0.4\n'),
    });
    await refuses(['--dataset', bad], said);
  });

  it('with too few boxes for a first model to learn two classes', async () => {
    const cats = await dataset('cats', { classes: 'cat\ndog\n', labels: (photo) => `${photo < 5 ? 1 : 0} 0.5 0.5 0.4 0.4\n` });
    await refuses(
      ['--dataset', cats],
      /a first model needs 2 classes with 60 labelled boxes or more, and of \d+ photos to train on there are: cat \d+, dog \d; label more, or give a --base/,
    );
  });

  it('of one class, without a model to begin with', async () => {
    const one = await dataset('one-class', { classes: 'helmet\n' });
    await refuses(['--dataset', one], /a first model needs 2 classes .* there are: helmet \d+; label more, or give a --base/);
  });

  it('of classes of its own is begun with, without a model', async () => {
    const own = await dataset('own-classes', {
      classes: 'forklift\npallet\n',
      photos: 240,
      labels: (photo) => `${photo % 2} 0.5 0.5 0.4 0.4\n`,
    });
    expect(await begins(['--dataset', own])).toContain('labelled photos');
  });

  it('goes on without what is bad when told so, and says how much that was', async () => {
    const bad = await dataset('skipped', {
      classes: 'helmet\nhead\nlamp\n',
      photos: 250,
      labels: (photo) => (photo < 2 ? '0 NaN 0 0 0\n' : `${photo % 20 === 0 ? 2 : photo % 2} 0.5 0.5 0.4 0.4\n`),
    });
    await cutPhoto(bad, 5);
    const stdout = await begins(['--dataset', bad, '--skip-bad']);
    expect(stdout).toContain('1 unreadable photos left out');
    expect(stdout).toContain('2 bad label lines left out');
    expect(stdout).toMatch(/\d+ boxes of "lamp" left out: the model does not know that class/);
  });

  it('of one class that the model knows is begun with, and the other class is named', async () => {
    const base = await file('two-classes.onnx', yoloShapedModel({ classCount: 2, side: 64 }));
    const one = await dataset('one-known-class', { classes: 'class 0\n' });
    expect(await begins(['--dataset', one, '--base', base])).toContain('no photo of the dataset has a box of "class 1"');
  });
});

describe('a model to begin with', () => {
  const refusesBase = (path: string, line: RegExp) => refuses(['--dataset', hardhats, '--base', path], line);

  it('that is not there', () =>
    refusesBase(join(folder, 'no.onnx'), /no.onnx cannot be read \(there is no such file\): give --base an ONNX file/));

  it('that is no ONNX', async () => {
    const text = await file('text.onnx', 'these are no weights');
    await refusesBase(text, /text.onnx cannot be the first model \(.*not a readable ONNX.*\): give --base/);
  });

  it('that ends half-way', async () => {
    const bytes = blockDetector();
    await refusesBase(await file('half.onnx', bytes.subarray(0, bytes.length / 2)), /half.onnx cannot be the first model/);
  });

  it('that keeps its weights in another file', async () => {
    const external = writeOnnx({
      graph: {
        nodes: [{ op: 'Conv', inputs: ['images', 'weight'], outputs: ['output0'] }],
        tensors: [{ name: 'weight', dims: [6, 3, 1, 1], values: new Float32Array(18), external: true }],
        inputs: [{ name: 'images', dims: [1, 3, 32, 32] }],
        outputs: [{ name: 'output0', dims: [1, 6, 32, 32] }],
      },
      metadata: { names: "['helmet', 'head']" },
    });
    await refusesBase(
      await file('external.onnx', external),
      /tensor 'weight' keeps its data outside of the model file; export with all weights inside/,
    );
  });

  it('that is no detector', async () => {
    const classifier = writeOnnx({
      graph: {
        nodes: [{ op: 'GlobalAveragePool', inputs: ['images'], outputs: ['output0'] }],
        inputs: [{ name: 'images', dims: [1, 3, 32, 32] }],
        outputs: [{ name: 'output0', dims: [1, 3, 1, 1] }],
      },
      metadata: { names: "['helmet', 'head']" },
    });
    await refusesBase(
      await file('classifier.onnx', classifier),
      /classifier.onnx cannot be the first model \(output .* does not fit 2 class/,
    );
  });

  it('whose operators no runtime knows', async () => {
    const odd = writeOnnx({
      graph: {
        nodes: [{ op: 'Fancy', inputs: ['images'], outputs: ['output0'] }],
        inputs: [{ name: 'images', dims: [1, 3, 32, 32] }],
        outputs: [{ name: 'output0', dims: [1, 21, 7] }],
      },
      metadata: { names: "['helmet', 'head']" },
    });
    await refusesBase(await file('odd.onnx', odd), /odd.onnx cannot be the first model \(model runtime failed: .*Fancy/);
  });

  it('that knows one class only, as long as training needs two', async () => {
    const base = await file('one-class.onnx', yoloShapedModel({ classCount: 1, side: 64 }));
    const people = await dataset('people', { classes: 'class 0\n', photos: 3 });
    const line = /one-class.onnx knows one class only \(class 0\), and a model can be trained on from 2 classes up: give another --base/;
    await refuses(['--dataset', people, '--base', base], line);
  });

  it('that does not name its classes is taken to know those of classes.txt, and says so', async () => {
    const named = blockDetector();
    const unnamed = Buffer.from(Buffer.from(named).toString('latin1').replace('names', 'nomen'), 'latin1');
    const silent = await file('silent.onnx', unnamed);
    expect(await begins(['--dataset', hardhats, '--base', silent])).toContain(
      'silent.onnx does not name its classes: taken to be those of classes.txt, helmet, head',
    );
  });

  it('whose classes are not those of the dataset', async () => {
    const blocks = await file('blocks.onnx', blockDetector());
    await refusesBase(
      blocks,
      /\(helmet, head\) don't match: the model of --base knows red, blue; rename them in classes.txt, or give a --base that knows them/,
    );
  });
});

describe('a machine without', () => {
  it('a Python that can train', async () => {
    const bare = await makeHome({ without: 'python.json' });
    try {
      const { status, said, stdout } = await demo(bare, ['--once']);
      expect({ status, said }).toEqual({
        status: 1,
        said: [expect.stringMatching(/no Python that can train is set up .*: run "npm run setup"/)],
      });
      expect(stdout).not.toContain('starting');
    } finally {
      await removeHome(bare);
    }
  });

  it('a folder to keep anything in', async () => {
    const taken = await file('not-a-folder', 'a file');
    const { status, said } = await demo(taken, ['--once']);
    expect({ status, said }).toEqual({
      status: 1,
      said: [expect.stringMatching(/cannot be used \((EEXIST|ENOTDIR)\): name a folder .* with EDGELOOP_HOME/)],
    });
  });
});

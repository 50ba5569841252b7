import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { blockDetector } from '@edgeloop/testkit';
import { encodeJpeg } from '../picture/night.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeloop-evaluate-'));
  await put('seeing.onnx', blockDetector());
  await put('blind.onnx', blockDetector({ fault: 'blind' }));
  await put('data/classes.txt', 'blue\nperson\nred\n');
  await put('data/slices.json', JSON.stringify({ 'b.jpg': 'night' }));
  // The red block is the first of the two, in a cell of the detector; its labels name it by the dataset's numbers.
  await put(
    'data/images/a.jpg',
    await blocks([
      [255, 0, 0],
      [0, 0, 255],
    ]),
  );
  await put('data/labels/a.txt', '2 0.05 0.05 0.1 0.1\n0 0.25 0.05 0.1 0.1\n1 0.5 0.5 0.1 0.1\n');
  await put('data/images/b.jpg', await blocks([[255, 0, 0]]));
  await put('data/labels/b.txt', '2 0.05 0.05 0.1 0.1\n2 0.85 0.85 0.1 0.1\n');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
}

/** Blocks of 16 pixels at x = 0, 32, 64 in a grey square of 160. */
function blocks(colours: readonly (readonly number[])[]): Promise<Uint8Array> {
  const rgb = new Uint8Array(160 * 160 * 3).fill(128);
  for (const [index, colour] of colours.entries()) {
    for (let y = 0; y < 16; y++) for (let x = index * 32; x < index * 32 + 16; x++) rgb.set(colour, (y * 160 + x) * 3);
  }
  return encodeJpeg({ rgb, width: 160, height: 160 }, 95);
}

async function run(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const tool = join(import.meta.dirname, 'evaluate.ts');
  const child = spawn(process.execPath, ['--conditions=@edgeloop/source', '--no-warnings', tool, ...args], { cwd: folder });
  const [stdout, stderr] = await Promise.all([child.stdout, child.stderr].map(async (stream) => (await stream.toArray()).join('')));
  const status = child.exitCode ?? (await new Promise<number | null>((resolve) => child.once('exit', resolve)));
  return { status, stdout: stdout!, stderr: stderr! };
}

describe('edgeloop-evaluate', () => {
  it('scores candidate and incumbent per slice, matching classes by name', async () => {
    const { status, stdout, stderr } = await run(
      '--model',
      'seeing.onnx',
      '--incumbent',
      'blind.onnx',
      '--dataset',
      'data',
      '--out',
      'out.json',
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const report = JSON.parse(await readFile(join(folder, 'out.json'), 'utf8'));
    expect(report.candidate).toMatchObject({
      slices: {
        day: { map50: 1, frames: 1, boxes: 2, perClass: { red: { ap50: 1, truths: 1, detections: 1 }, blue: { ap50: 1, truths: 1 } } },
        night: { map50: 0.5, frames: 1, boxes: 2, perClass: { red: { ap50: 0.5, truths: 2 }, blue: { ap50: null, truths: 0 } } },
      },
      overall: { frames: 2, boxes: 4 },
      ignoredBoxes: 1,
    });
    expect(report.incumbent.overall.map50).toBe(0);
    expect(report.badLines).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      candidate: expect.objectContaining({ day: 1, night: 0.5 }),
      incumbent: expect.objectContaining({ day: 0 }),
      badLines: 0,
    });
  });

  it('writes null for no incumbent', async () => {
    await run('--model', 'seeing.onnx', '--dataset', 'data', '--out', 'out.json');
    expect(JSON.parse(await readFile(join(folder, 'out.json'), 'utf8')).incumbent).toBeNull();
  });

  it('stops at a bad label line and names it, or leaves it out when told to', async () => {
    await put('data/labels/b.txt', '2 0.05 0.05 0.1 0.1\n2 NaN 0.5 0.1 0.1\n');
    const stopped = await run('--model', 'seeing.onnx', '--dataset', 'data', '--out', 'out.json');
    expect(stopped).toMatchObject({ status: 1, stderr: "labels/b.txt:2: 'NaN' is not a number\n" });
    const skipped = await run('--model', 'seeing.onnx', '--dataset', 'data', '--out', 'out.json', '--skip-bad');
    expect(skipped.status).toBe(0);
    expect(JSON.parse(await readFile(join(folder, 'out.json'), 'utf8'))).toMatchObject({
      badLines: 1,
      candidate: { slices: { night: { map50: 1, boxes: 1 } } },
    });
  });

  it.each<[string, () => Promise<void>, string]>([
    [
      'a class beyond classes.txt',
      () => put('data/labels/a.txt', '3 0.5 0.5 0.1 0.1\n'),
      'labels/a.txt:1: class 3, but classes.txt names only 3',
    ],
    ['no class in common', () => put('data/classes.txt', 'cat\ndog\nfish\n'), 'no class in common'],
    ['a missing label file', () => rm(join(folder, 'data/labels/a.txt')), 'a.txt: cannot be read'],
    ['no pictures', () => rm(join(folder, 'data/images'), { recursive: true }), 'images: cannot be listed'],
    ['slices that are no object', () => put('data/slices.json', '[1]'), 'slices.json: is not an object'],
    ['an unreadable picture', () => put('data/images/a.jpg', 'no picture'), 'a.jpg: unreadable picture'],
    ['a model that is none', () => put('seeing.onnx', 'no model'), 'not a readable ONNX model'],
    ['a model that is not there', () => rm(join(folder, 'seeing.onnx')), 'seeing.onnx'],
  ])('fails with one clear line on %s', async (_, spoil, line) => {
    await spoil();
    const { status, stderr } = await run('--model', 'seeing.onnx', '--dataset', 'data', '--out', 'out.json');
    expect(status).toBe(1);
    expect(stderr).toContain(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it.each([[[]], [['--model', 'a.onnx']], [['--nonsense']], [['--model', 'a', '--dataset', 'b', '--out', 'c', '--threads', '0']]])(
    'shows its usage for %j',
    async (args) => {
      const { status, stderr } = await run(...args);
      expect(status).toBe(2);
      expect(stderr).toContain('usage: edgeloop-evaluate');
    },
  );
});

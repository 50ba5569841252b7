import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ModelCard } from '@edgeloop/contracts';
import { blockDetector, writeOnnx, type OnnxTensor } from '@edgeloop/testkit';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blockPicture } from '../testing/block-pictures.ts';
import { ChildModelTrial } from './model-trial.ts';

const CARD: ModelCard = {
  name: 'blocks',
  version: 'v1',
  classes: ['red', 'blue'],
  input: { width: 160, height: 160, range: '0..1', order: 'RGB' },
  thresholds: [0.4, 0.4],
  nmsIou: 0.45,
};

let folder: string;
let picturePaths: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trial-'));
  picturePaths = [join(folder, 'grey'), join(folder, 'both')];
  await writeFile(picturePaths[0] as string, await blockPicture());
  await writeFile(
    picturePaths[1] as string,
    await blockPicture([
      { at: [2, 3], colour: 'red' },
      { at: [6, 6], colour: 'blue' },
    ]),
  );
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

interface Options {
  readonly card?: Partial<ModelCard>;
  readonly pictures?: readonly string[];
  readonly trial?: ChildModelTrial;
  readonly signal?: AbortSignal;
}
async function make(model: Uint8Array, options: Options = {}) {
  const modelPath = join(folder, 'model.onnx');
  await writeFile(modelPath, model);
  return await (options.trial ?? new ChildModelTrial()).make({
    modelPath,
    card: { ...CARD, ...options.card },
    picturePaths: options.pictures ?? picturePaths,
    signal: options.signal ?? new AbortController().signal,
  });
}

describe('a model on trial', () => {
  it('shows its layout, its golden vectors and which pictures they came from', async () => {
    const tried = await make(blockDetector());
    expect(tried).toMatchObject({
      kind: 'tried',
      shape: { layout: 'yolov5', rows: 100, classCount: 2 },
      blind: false,
      skipped: [],
      picturePaths: [picturePaths[1], picturePaths[0]],
    });
    expect(tried.kind === 'tried' && tried.vectors.map((vector) => vector.expected.length)).toEqual([2, 0]);
  });

  it('may see nothing, and may have met a picture that nobody can read', async () => {
    const broken = join(folder, 'broken');
    await writeFile(broken, 'no picture');
    const tried = await make(blockDetector({ fault: 'blind' }), { pictures: [broken, ...picturePaths] });
    expect(tried).toMatchObject({ kind: 'tried', blind: true, skipped: [expect.stringContaining('picture 0: unreadable picture')] });
    expect(await make(blockDetector(), { pictures: [broken] })).toMatchObject({ kind: 'refused', cause: 'golden-pictures-missing' });
  });

  const bad: [string, () => Uint8Array, Partial<ModelCard>][] = [
    ['unreadable-model', () => Buffer.from('no model at all'), {}],
    ['unreadable-model', () => blockDetector().subarray(0, 5000), {}],
    ['wrong-shape', () => blockDetector(), { classes: ['helmet', 'head'] }],
    ['wrong-shape', () => blockDetector(), { input: { ...CARD.input, width: 320 } }],
    ['layout-mismatch', () => blockDetector(), { layout: 'yolov8' }],
    ['layout-mismatch', () => blockDetector({ metadata: { names: "{0: 'a'}" } }), { classes: ['a'] }],
    ['not-finite', () => blockDetector({ fault: 'damaged' }), {}],
    ['does-not-run', () => oneNode('NoSuchOperator'), {}],
  ];
  for (const [cause, model, card] of bad)
    it(`is refused as ${cause} (${JSON.stringify(card)})`, async () => {
      const outcome = await make(model(), { card });
      expect(outcome).toMatchObject({ kind: 'refused', cause });
      expect(outcome.kind === 'refused' && outcome.reason.length).toBeGreaterThan(20);
    });

  it('is refused when its weights lie elsewhere', async () => {
    const outside: OnnxTensor = { name: 'weight', dims: [1], values: Float32Array.of(1), external: true };
    expect(await make(oneNode('Add', [outside]))).toMatchObject({ kind: 'refused', cause: 'external-data' });
  });

  it('is stopped at the limit of time and of memory', async () => {
    const slow = new ChildModelTrial({ timeMs: 1, memoryBytes: 2 ** 40 });
    expect(await make(blockDetector(), { trial: slow })).toMatchObject({ kind: 'refused', cause: 'too-slow' });
    const tight = new ChildModelTrial({ timeMs: 60_000, memoryBytes: 2 ** 20 });
    expect(await make(blockDetector(), { trial: tight })).toMatchObject({ kind: 'refused', cause: 'too-much-memory' });
  });

  it('ends with the handler that asked for it', async () => {
    const abort = new AbortController();
    const asked = make(blockDetector({ ballast: 200 }), { signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
  });
});

function oneNode(op: string, tensors: OnnxTensor[] = []): Uint8Array {
  return writeOnnx({
    graph: {
      nodes: [{ op, inputs: ['images', ...tensors.map((tensor) => tensor.name)], outputs: ['output0'] }],
      tensors,
      inputs: [{ name: 'images', dims: [1, 3, 160, 160] }],
      outputs: [{ name: 'output0', dims: [1, 100, 7] }],
    },
    metadata: { names: "{0: 'red', 1: 'blue'}" },
  });
}

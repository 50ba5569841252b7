import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { blockDetector } from '@edgeloop/testkit';
import { Detector, encodeJpeg } from '@edgeloop/vision';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GOLDENS_KEPT, checkGoldens, makeGoldens, type GoldenSet } from './goldens.ts';

const SIDE = 160;
const BLOCK = 16;
const RED = [255, 0, 0] as const;
const BLUE = [0, 0, 255] as const;

let folder: string;
const open: Detector[] = [];
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'goldens-'))));
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (detector) => await detector.close()));
  await rm(folder, { recursive: true, force: true });
});

async function detectorOf(options: Parameters<typeof blockDetector>[0] = {}, score = 0.25): Promise<Detector> {
  const path = join(folder, `${open.length}.onnx`);
  await writeFile(path, blockDetector({ side: SIDE, ...options }));
  const detector = await Detector.load({ modelPath: path, thresholds: { score, iou: 0.45 } });
  open.push(detector);
  return detector;
}

/** A grey picture with coloured blocks at these cells. */
async function picture(...blocks: { at: [number, number]; colour: readonly [number, number, number] }[]): Promise<Uint8Array> {
  const rgb = new Uint8Array(SIDE * SIDE * 3).fill(110);
  for (const { at, colour } of blocks)
    for (let y = 0; y < BLOCK; y += 1)
      for (let x = 0; x < BLOCK; x += 1) rgb.set(colour, ((at[1] * BLOCK + y) * SIDE + at[0] * BLOCK + x) * 3);
  return await encodeJpeg({ width: SIDE, height: SIDE, rgb }, 95);
}

const check = async (detector: Detector, goldens: GoldenSet) =>
  await checkGoldens(detector, { scoreTolerance: 0.02, boxTolerance: 0.01, vectors: goldens.vectors }, (name) =>
    Promise.resolve(goldens.pictures.get(name) as Uint8Array),
  );

describe('golden vectors', () => {
  it('are met by the same weights in a fresh session, in every layout', async () => {
    const pictures = [await picture({ at: [2, 3], colour: RED }, { at: [6, 6], colour: BLUE })];
    for (const layout of ['yolov5', 'yolov8', 'end-to-end'] as const) {
      const goldens = await makeGoldens(await detectorOf({ layout }), pictures);
      expect(goldens.vectors[0]?.expected.map((box) => box.classId).toSorted((left, right) => left - right)).toEqual([0, 1]);
      const verdict = await check(await detectorOf({ layout }), goldens);
      expect(verdict).toEqual({ passed: true, largest: { score: 0, box: 0 }, failures: [] });
    }
  });

  it('are missed by blind and by damaged weights', async () => {
    const goldens = await makeGoldens(await detectorOf(), [await picture({ at: [2, 3], colour: RED })]);
    for (const fault of ['blind', 'damaged'] as const) {
      const verdict = await check(await detectorOf({ fault }), goldens);
      expect(verdict.passed).toBe(false);
      expect(verdict.failures).toEqual([expect.stringContaining('golden/00.jpg: class 0')]);
    }
  });

  it('prefer pictures on which the model sees most classes, and stay few', async () => {
    const grey = await picture();
    const red = await picture({ at: [1, 1], colour: RED });
    const both = await picture({ at: [1, 1], colour: RED }, { at: [4, 4], colour: BLUE });
    const goldens = await makeGoldens(await detectorOf(), [grey, grey, red, both, grey, red]);
    expect(goldens.vectors).toHaveLength(GOLDENS_KEPT);
    expect(goldens.vectors.map((vector) => vector.expected.length)).toEqual([2, 1, 1, 0]);
    expect(goldens.vectors.map((vector) => vector.picture)).toEqual(['golden/00.jpg', 'golden/01.jpg', 'golden/02.jpg', 'golden/03.jpg']);
    expect(goldens.blind).toBe(false);
  });

  it('of a model that sees nothing are legal and say so', async () => {
    const goldens = await makeGoldens(await detectorOf({ fault: 'blind' }), [await picture({ at: [1, 1], colour: RED })]);
    expect(goldens.blind).toBe(true);
    expect((await check(await detectorOf({ fault: 'blind' }), goldens)).passed).toBe(true);
    expect((await check(await detectorOf(), goldens)).failures).toEqual([expect.stringContaining('is seen here only')]);
  });

  it('mean the same to a detector that keeps more boxes, and refuse one that keeps fewer', async () => {
    const goldens = await makeGoldens(await detectorOf(), [await picture({ at: [2, 3], colour: RED })]);
    expect((await check(await detectorOf({}, 0.01), goldens)).passed).toBe(true);
    await expect(check(await detectorOf({}, 0.3), goldens)).rejects.toMatchObject({ name: 'GoldenSetupError' });
  });

  it('need a picture', async () => {
    await expect(makeGoldens(await detectorOf(), [])).rejects.toMatchObject({ name: 'GoldenSetupError' });
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BLOCK_PIXELS, blockDetector, writeOnnx } from '@edgeloop/testkit';
import { encodeJpeg } from './picture/night.ts';
import type { RawPicture } from './picture/read-picture.ts';
import { Detector } from './detector.ts';
import {
  LayoutMismatchError,
  ModelRunError,
  ModelShapeError,
  OnnxExternalDataError,
  OnnxUnreadableError,
  UnreadablePictureError,
} from './errors.ts';

const RED = [255, 0, 0] as const;
const BLUE = [0, 0, 255] as const;

/** A grey picture with blocks of pure colour, `[x, y]` in pixels. */
function scene(
  size: { width: number; height: number },
  blocks: readonly { x: number; y: number; side: number; colour: readonly number[] }[],
): RawPicture {
  const rgb = new Uint8Array(size.width * size.height * 3).fill(128);
  for (const { x, y, side, colour } of blocks) {
    for (let row = y; row < y + side; row++)
      for (let column = x; column < x + side; column++) rgb.set(colour, (row * size.width + column) * 3);
  }
  return { rgb, ...size };
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeloop-detector-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function saved(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

describe.each(['yolov5', 'yolov8', 'end-to-end'] as const)('a model of layout %s', (layout) => {
  let detector: Detector;

  beforeAll(async () => {
    detector = await Detector.load({
      modelPath: await saved(`${layout}.onnx`, blockDetector({ layout })),
      thresholds: { score: 0.5, iou: 0.5 },
    });
  });

  afterAll(() => detector.close());

  it('is read from the model alone', () => {
    expect(detector.shape).toEqual({ layout, rows: 100, classCount: 2 });
    expect(detector.classes).toEqual(['red', 'blue']);
  });

  it('gives boxes in pixels of the original picture', async () => {
    // 320 x 160 is scaled by one half and lies 40 pixels below the top: a block of the input is 32 pixels of the picture.
    const picture = scene({ width: 320, height: 160 }, [
      { x: 64, y: 48, side: 32, colour: RED },
      { x: 224, y: 112, side: 32, colour: BLUE },
    ]);
    const { detections, picture: size } = await detector.detect(picture);
    expect(size).toEqual({ width: 320, height: 160 });
    const rounded = detections.map(({ score, ...box }) => ({ ...box, sure: score > 0.9 })).toSorted((a, b) => a.classId - b.classId);
    expect(rounded).toEqual([
      { classId: 0, sure: true, x1: 64, y1: 48, x2: 96, y2: 80 },
      { classId: 1, sure: true, x1: 224, y1: 112, x2: 256, y2: 144 },
    ]);
  });

  it('gives the same for a JPEG, and for calls that overlap', async () => {
    const pictures = await Promise.all(
      [0, 16, 32, 48].map((x) => encodeJpeg(scene({ width: 160, height: 160 }, [{ x, y: 16, side: BLOCK_PIXELS, colour: RED }]), 95)),
    );
    const results = await Promise.all(pictures.map((picture) => detector.detect(picture)));
    expect(results.map(({ detections }) => detections.map(({ x1 }) => x1))).toEqual([[0], [16], [32], [48]]);
  });

  it('sees nothing in grey and counts candidates in the asked band', async () => {
    const grey = await detector.detect(scene({ width: 160, height: 160 }, []), { bands: [{ low: 0.5, high: 1 }] });
    expect(grey.detections).toEqual([]);
    expect(grey.candidates.perBand).toEqual([0]);
    const red = await detector.detect(scene({ width: 160, height: 160 }, [{ x: 0, y: 0, side: 32, colour: RED }]), {
      bands: [{ low: 0.5, high: 1 }],
    });
    expect(red.candidates.perBand).toEqual([4]);
    expect(red.candidates.maxScorePerClass[0]).toBeGreaterThan(0.9);
  });

  it('goes on after a picture that cannot be read', async () => {
    await expect(detector.detect(new Uint8Array([1, 2, 3]))).rejects.toBeInstanceOf(UnreadablePictureError);
    const { detections } = await detector.detect(scene({ width: 160, height: 160 }, [{ x: 0, y: 0, side: 16, colour: BLUE }]));
    expect(detections).toHaveLength(1);
  });
});

describe('a faulty model', () => {
  it('that answers with NaN gives no detection, and says so', async () => {
    const detector = await Detector.load({ modelPath: await saved('damaged.onnx', blockDetector({ fault: 'damaged' })) });
    const { detections, candidates } = await detector.detect(scene({ width: 160, height: 160 }, []));
    expect(detections).toEqual([]);
    expect(candidates.malformed).toBe(100);
    await detector.close();
  });

  it.each([
    ['declared classes that contradict the model', blockDetector(), { classes: ['blue', 'red'] }, ModelShapeError],
    ['a declared size that contradicts the model', blockDetector(), { input: { width: 320 } }, ModelShapeError],
    ['a declared layout that contradicts the output', blockDetector(), { layout: 'yolov8' }, LayoutMismatchError],
    [
      'more class names than the output has',
      blockDetector({ metadata: { names: "['a', 'b', 'c', 'd', 'e', 'f']" } }),
      {},
      LayoutMismatchError,
    ],
    ['class names that cannot be read', blockDetector({ metadata: { names: '{0: os.system}' } }), {}, ModelShapeError],
    ['no class names at all', writeOnnx({ graph: relu('images', 1, [1, 3, 32, 32]) }), {}, ModelShapeError],
    ['an input that is no picture', writeOnnx({ graph: relu('x', 1, [1, 10]) }), { classes: ['a'] }, ModelShapeError],
    ['an input of bytes', writeOnnx({ graph: relu('x', 2, [1, 3, 32, 32]) }), { classes: ['a'] }, ModelShapeError],
    ['a dynamic size that nobody declared', writeOnnx({ graph: relu('x', 1, [1, 3, 'h', 'w']) }), { classes: ['a'] }, ModelShapeError],
    ['an output that is no list of boxes', writeOnnx({ graph: relu('x', 1, [1, 3, 32, 32]) }), { classes: ['a'] }, LayoutMismatchError],
    ['an operator that does not exist', writeOnnx({ graph: relu('x', 1, [1, 3, 32, 32], 'Relux') }), { classes: ['a'] }, ModelRunError],
    ['bytes that are no model', new TextEncoder().encode('<html>not found</html>'), {}, OnnxUnreadableError],
  ])('is refused: %s', async (name, bytes, options, error) => {
    const modelPath = await saved(`${name.replaceAll(' ', '-')}.onnx`, bytes);
    await expect(Detector.load({ modelPath, ...(options as object) })).rejects.toBeInstanceOf(error);
  });

  it('is refused: weights outside of the file', async () => {
    const graph = { ...relu('x', 1, [1, 3, 32, 32]), tensors: [{ name: 'w', dims: [1], values: new Float32Array(1), external: true }] };
    const modelPath = await saved('external.onnx', writeOnnx({ graph }));
    await expect(Detector.load({ modelPath, classes: ['a'] })).rejects.toBeInstanceOf(OnnxExternalDataError);
  });
});

function relu(input: string, type: number, dims: readonly (number | string)[], op = 'Relu') {
  return {
    nodes: [{ op, inputs: [input], outputs: ['y'] }],
    inputs: [{ name: input, type, dims }],
    outputs: [{ name: 'y', dims }],
  };
}

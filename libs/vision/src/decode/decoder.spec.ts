import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TensorSizeError, TooManyRowsError } from '../errors.ts';
import { CANDIDATES_MAX, DETECTIONS_MAX, Decoder } from './decoder.ts';
import type { InputDetection, ScoreBand, Thresholds } from './decoder.ts';
import { columnsOf } from './layout.ts';
import type { OutputLayout, OutputShape } from './layout.ts';

type Candidate = InputDetection;

/** The same rules written for reading, with an object per candidate and a comparison of every pair. */
function slowReference(
  output: Float32Array,
  shape: OutputShape,
  thresholds: Thresholds,
  floor: number,
): { candidates: Candidate[]; detections: Candidate[] } {
  const perClass = Array.from({ length: shape.classCount }, (_, i) =>
    Math.fround(typeof thresholds.score === 'number' ? thresholds.score : thresholds.score[i]!),
  );
  const candidates = Array.from({ length: shape.rows }, (_, row) => candidateOf(output, shape, row, Math.fround(floor))).filter(
    (box) => box !== undefined,
  );
  let open = candidates.filter((box) => box.score >= perClass[box.classId]!).map((box, order) => ({ box, order }));
  open.sort((a, b) => b.box.score - a.box.score || a.order - b.order);
  open = open.slice(0, CANDIDATES_MAX);
  const detections: Candidate[] = [];
  while (open.length > 0 && detections.length < DETECTIONS_MAX) {
    const best = open.shift()!.box;
    detections.push(best);
    if (shape.layout !== 'end-to-end')
      open = open.filter(({ box }) => box.classId !== best.classId || overlap(box, best) <= thresholds.iou);
  }
  return { candidates, detections };
}

function candidateOf(output: Float32Array, shape: OutputShape, row: number, floor: number): Candidate | undefined {
  const { layout, classCount, rows } = shape;
  const columns = columnsOf(shape);
  const cell = (column: number) => (layout === 'yolov8' ? output[column * rows + row]! : output[row * columns + column]!);
  const quad = [cell(0), cell(1), cell(2), cell(3)] as const;
  if (layout === 'end-to-end')
    return sound({ classId: cell(5), score: cell(4), x1: quad[0], y1: quad[1], x2: quad[2], y2: quad[3] }, classCount, floor);
  const objectness = layout === 'yolov5' ? cell(4) : 1;
  if (!(objectness >= floor)) return undefined;
  const first = layout === 'yolov5' ? 5 : 4;
  let classId = -1;
  let best = -1;
  for (let c = 0; c < classCount; c++) {
    if (cell(first + c) > best) {
      best = cell(first + c);
      classId = c;
    }
  }
  const [cx, cy, w, h] = quad;
  const corners = [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2].map(Math.fround) as [number, number, number, number];
  return sound(
    { classId, score: Math.fround(best * objectness), x1: corners[0], y1: corners[1], x2: corners[2], y2: corners[3] },
    classCount,
    floor,
  );
}

function sound(box: Candidate, classCount: number, floor: number): Candidate | undefined {
  const known = Number.isInteger(box.classId) && box.classId >= 0 && box.classId < classCount;
  const finite = [box.score, box.x1, box.y1, box.x2, box.y2].every(Number.isFinite);
  return known && finite && box.score >= floor && box.x2 > box.x1 && box.y2 > box.y1 ? box : undefined;
}

function overlap(a: Candidate, b: Candidate): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - shared);
}

/** Few distinct values, so that ties, equal thresholds, empty boxes and broken numbers come up all the time. */
const score = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 0.1, 0.25, 0.5, 0.7, 0.9, 1) },
  { weight: 4, arbitrary: fc.float({ min: 0, max: 1, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -1, -0) },
);
const pixel = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 2, arbitrary: fc.float({ min: -10, max: 60, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -5, 1e30) },
);
const length = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max: 30 }) }, { weight: 1, arbitrary: pixel });

interface Case {
  readonly shape: OutputShape;
  readonly output: Float32Array;
  readonly thresholds: Thresholds;
}

const testCase: fc.Arbitrary<Case> = fc
  .record({
    layout: fc.constantFrom<OutputLayout>('yolov5', 'yolov8', 'end-to-end'),
    classCount: fc.integer({ min: 1, max: 4 }),
    rows: fc.integer({ min: 0, max: 40 }),
  })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      output: outputOf(shape),
      thresholds: fc.record({
        score: fc.oneof(
          fc.constantFrom(0, 0.1, 0.25, 0.5, 0.7),
          fc.array(fc.constantFrom(0.1, 0.5, 0.9), { minLength: shape.classCount, maxLength: shape.classCount }),
        ),
        iou: fc.constantFrom(0, 0.25, 0.45, 0.5, 1),
      }),
    }),
  );

function outputOf(shape: OutputShape): fc.Arbitrary<Float32Array> {
  const { layout, rows, classCount } = shape;
  const classId = fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 0, max: classCount - 1 }) },
    { weight: 1, arbitrary: fc.constantFrom(-1, 0.5, 99, Number.NaN) },
  );
  const row: fc.Arbitrary<number[]> =
    layout === 'end-to-end'
      ? fc.tuple(pixel, pixel, length, length, score, classId).map(([x, y, w, h, s, c]) => [x, y, x + w, y + h, s, c])
      : fc
          .tuple(pixel, pixel, length, length, fc.array(score, { minLength: columnsOf(shape) - 4, maxLength: columnsOf(shape) - 4 }))
          .map(([cx, cy, w, h, scores]) => [cx, cy, w, h, ...scores]);
  return fc.array(row, { minLength: rows, maxLength: rows }).map((list) => {
    const columns = columnsOf(shape);
    const output = new Float32Array(rows * columns);
    for (const [r, values] of list.entries()) {
      for (const [c, value] of values.entries()) output[layout === 'yolov8' ? c * rows + r : r * columns + c] = value;
    }
    return output;
  });
}

describe('Decoder', () => {
  const floorOf = ({ score: of }: Thresholds) => Math.max(2 ** -149, Math.min(...(typeof of === 'number' ? [of] : of)));

  it('agrees with the slow reference on random outputs of every layout', () => {
    const decoder = new Decoder();
    fc.assert(
      fc.property(testCase, ({ shape, output, thresholds }) => {
        const { detections } = decoder.decode(output, shape, thresholds);
        expect(detections).toEqual(slowReference(output, shape, thresholds, floorOf(thresholds)).detections);
      }),
      { numRuns: 2000 },
    );
  });

  it('counts the raw candidates as the slow reference does', () => {
    const decoder = new Decoder();
    const band = fc.record({ low: fc.constantFrom(0.1, 0.25, 0.3), high: fc.constantFrom(0.25, 0.5, 0.7, 1) });
    fc.assert(
      fc.property(testCase, fc.array(band, { maxLength: 3 }), ({ shape, output, thresholds }, bands) => {
        const floor = Math.min(floorOf(thresholds), ...bands.map(({ low }) => low));
        const { candidates } = slowReference(output, shape, thresholds, floor);
        const within = ({ low, high }: ScoreBand) =>
          candidates.filter((box) => box.score >= Math.fround(low) && box.score <= Math.fround(high)).length;
        const best = (classId: number) => Math.max(0, ...candidates.filter((box) => box.classId === classId).map((box) => box.score));
        const { count, perBand, maxScorePerClass } = decoder.decode(output, shape, thresholds, { bands }).candidates;
        expect({ count, perBand, maxScorePerClass }).toEqual({
          count: candidates.length,
          perBand: bands.map(within),
          maxScorePerClass: Array.from({ length: shape.classCount }, (_, classId) => best(classId)),
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees on a full-size output of [1,25200,85]', () => {
    const shape: OutputShape = { layout: 'yolov5', rows: 25_200, classCount: 80 };
    const output = crowded(shape);
    const thresholds = { score: 0.25, iou: 0.45 };
    const { detections } = new Decoder().decode(output, shape, thresholds);
    expect(detections.length).toBeGreaterThan(20);
    expect(detections).toEqual(slowReference(output, shape, thresholds, 0.25).detections);
  });

  const one: OutputShape = { layout: 'yolov5', rows: 2, classCount: 1 };
  const decode = (rows: number[][], thresholds: Thresholds) =>
    new Decoder().decode(Float32Array.from(rows.flat()), { ...one, rows: rows.length }, thresholds).detections;

  it('keeps a score equal to the threshold, also where float32 rounds it down', () => {
    expect(Math.fround(0.7)).toBeLessThan(0.7);
    expect(decode([[10, 10, 4, 4, 1, 0.7]], { score: 0.7, iou: 0.5 })).toHaveLength(1);
    expect(decode([[10, 10, 4, 4, 1, 0.699]], { score: 0.7, iou: 0.5 })).toHaveLength(0);
  });

  it('keeps both boxes whose overlap equals the limit, and one where it is passed', () => {
    // 10 x 10 boxes moved by 5: overlap 50 of 150.
    const pair = [
      [10, 10, 10, 10, 1, 0.9],
      [15, 10, 10, 10, 1, 0.8],
    ];
    expect(decode(pair, { score: 0.5, iou: 50 / 150 })).toHaveLength(2);
    expect(decode(pair, { score: 0.5, iou: 0.33 })).toHaveLength(1);
  });

  it('of equal scores keeps the earlier row', () => {
    const rows = [
      [11, 10, 10, 10, 1, 0.9],
      [10, 10, 10, 10, 1, 0.9],
    ];
    expect(decode(rows, { score: 0.5, iou: 0.5 }).map(({ x1 }) => x1)).toEqual([6]);
  });

  it('leaves one box of many on the same spot', () => {
    const rows = Array.from({ length: 500 }, (_, i) => [10, 10, 8, 8, 1, 0.5 + i / 2000]);
    expect(decode(rows, { score: 0.25, iou: 0.45 })).toHaveLength(1);
  });

  it('keeps no more than the limit, the best ones', () => {
    const rows = Array.from({ length: DETECTIONS_MAX + 50 }, (_, i) => [i * 20, 10, 8, 8, 1, 0.5 + i / 2000]);
    const found = decode(rows, { score: 0.25, iou: 0.45 });
    expect(found).toHaveLength(DETECTIONS_MAX);
    expect(found[0]!.score).toBeCloseTo(0.5 + (DETECTIONS_MAX + 49) / 2000);
  });

  it('shrinks and grows with the output without keeping old rows', () => {
    const decoder = new Decoder();
    const full = crowded({ layout: 'yolov5', rows: 300, classCount: 3 });
    const first = decoder.decode(full, { layout: 'yolov5', rows: 300, classCount: 3 }, { score: 0.25, iou: 0.45 });
    decoder.decode(Float32Array.from([5, 5, 2, 2, 1, 1]), { layout: 'yolov5', rows: 1, classCount: 1 }, { score: 0.25, iou: 0.45 });
    expect(decoder.decode(full, { layout: 'yolov5', rows: 300, classCount: 3 }, { score: 0.25, iou: 0.45 })).toEqual(first);
  });

  it('refuses a tensor that is not of the size of its shape', () => {
    expect(() => new Decoder().decode(new Float32Array(11), one, { score: 0.5, iou: 0.5 })).toThrow(TensorSizeError);
    expect(() => new Decoder().decode(new Float32Array(0), { ...one, rows: 200_000 }, { score: 0.5, iou: 0.5 })).toThrow(TooManyRowsError);
    expect(() => new Decoder().decode(new Float32Array(12), one, { score: [0.5, 0.5], iou: 0.5 })).toThrow(RangeError);
  });
});

/** Background of low scores, and a dozen objects with many boxes each. */
function crowded({ rows, classCount }: OutputShape): Float32Array {
  const columns = 5 + classCount;
  const output = new Float32Array(rows * columns);
  let state = 7;
  const uniform = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    const object = row % 97 === 0 ? Math.floor(uniform() * 12) : -1;
    const centre = object < 0 ? [uniform() * 640, uniform() * 640] : [50 * object + uniform() * 8, 40 + 45 * object + uniform() * 8];
    output.set([...centre, 20 + uniform() * 60, 20 + uniform() * 60, object < 0 ? uniform() ** 6 * 0.2 : 0.5 + uniform() / 2], at);
    for (let c = 0; c < classCount; c++) output[at + 5 + c] = uniform() * 0.3;
    if (object >= 0) output[at + 5 + (object % classCount)] = 0.6 + uniform() * 0.4;
  }
  return output;
}

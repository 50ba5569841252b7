import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { intersectionOverUnion, planLetterbox, roundHalfEven, toInput, toPicture } from './geometry.ts';

const side = fc.integer({ min: 1, max: 5000 });
const size = fc.record({ width: side, height: side });
const target = fc.record({
  width: fc.integer({ min: 1, max: 128 }).map((n) => n * 32),
  height: fc.integer({ min: 1, max: 128 }).map((n) => n * 32),
});

describe('planLetterbox', () => {
  it('centres 1920 x 1080 in 640 x 640', () => {
    expect(planLetterbox({ width: 1920, height: 1080 }, { width: 640, height: 640 })).toMatchObject({
      band: { width: 640, height: 360 },
      left: 0,
      top: 140,
    });
  });

  it('puts the odd line of padding below, and rounds halves to even as the exporters do', () => {
    expect(planLetterbox({ width: 416, height: 415 }, { width: 416, height: 416 })).toMatchObject({
      band: { width: 416, height: 415 },
      top: 0,
    });
    expect(planLetterbox({ width: 1280, height: 5 }, { width: 640, height: 640 })).toMatchObject({
      band: { width: 640, height: 2 },
      top: 319,
    });
  });

  it('never leaves the target and touches it on one axis', () => {
    fc.assert(
      fc.property(size, target, (source, into) => {
        const { band, left, top } = planLetterbox(source, into);
        expect(left >= 0 && top >= 0 && left + band.width <= into.width && top + band.height <= into.height).toBe(true);
        expect(band.width === into.width || band.height === into.height).toBe(true);
        expect(Math.abs(into.width - band.width - 2 * left)).toBeLessThanOrEqual(1);
        expect(Math.abs(into.height - band.height - 2 * top)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('toPicture', () => {
  it('undoes toInput for every box in the picture', () => {
    const fraction = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(size, target, fc.tuple(fraction, fraction, fraction, fraction), (source, into, [a, b, c, d]) => {
        const box = { x1: a * source.width, y1: b * source.height, x2: c * source.width, y2: d * source.height };
        const plan = planLetterbox(source, into);
        const back = toPicture(toInput(box, plan), plan);
        for (const key of ['x1', 'y1', 'x2', 'y2'] as const) expect(back[key]).toBeCloseTo(box[key], 6);
      }),
    );
  });

  it('clips to the picture', () => {
    const plan = planLetterbox({ width: 100, height: 50 }, { width: 200, height: 200 });
    expect(toPicture({ x1: -10, y1: 0, x2: 500, y2: 500 }, plan)).toEqual({ x1: 0, y1: 0, x2: 100, y2: 50 });
  });
});

describe('roundHalfEven', () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [2.4999, 2],
    [2.5001, 3],
    [7, 7],
  ])('%f -> %i', (value, expected) => expect(roundHalfEven(value)).toBe(expected));
});

describe('intersectionOverUnion', () => {
  const box = { x1: 0, y1: 0, x2: 10, y2: 10 };
  it.each([
    ['itself', box, 1],
    ['a half', { x1: 0, y1: 0, x2: 10, y2: 5 }, 0.5],
    ['a neighbour that touches', { x1: 10, y1: 0, x2: 20, y2: 10 }, 0],
    ['a box without area', { x1: 5, y1: 5, x2: 5, y2: 5 }, 0],
    ['a box upside down', { x1: 10, y1: 10, x2: 0, y2: 0 }, 0],
  ])('with %s', (_, other, expected) => expect(intersectionOverUnion(box, other)).toBe(expected));
});

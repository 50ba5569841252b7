import { describe, expect, it } from '@jest/globals';
import type { PredictedBox } from '@edgeloop/contracts';
import { compareBoxes } from './compare-boxes.ts';

const TOLERANCE = { score: 0.02, box: 0.01, scoreFloor: 0.25 };
const box = (change: Partial<PredictedBox> = {}): PredictedBox => ({
  classId: 0,
  cx: 0.5,
  cy: 0.5,
  w: 0.2,
  h: 0.2,
  score: 0.75,
  ...change,
});
const differs = (expected: PredictedBox[], answered: PredictedBox[]) => compareBoxes(expected, answered, TOLERANCE).difference;

describe('comparing boxes with a golden answer', () => {
  it('passes at the tolerance and fails beyond it', () => {
    expect(differs([box()], [box({ score: 0.77 })])).toBeUndefined();
    expect(differs([box()], [box({ score: 0.7701 })])).toContain('scores 0.7701 here');
    expect(differs([box({ cx: 0 })], [box({ cx: 0.01 })])).toBeUndefined();
    expect(differs([box({ cx: 0 })], [box({ cx: 0.0101 })])).toContain('is not seen here');
  });

  it('says how far the worst was off', () => {
    const { largest } = compareBoxes([box(), box({ cx: 0.1 })], [box({ score: 0.76 }), box({ cx: 0.1, h: 0.205 })], TOLERANCE);
    expect(largest.score).toBeCloseTo(0.01, 6);
    expect(largest.box).toBeCloseTo(0.005, 6);
  });

  it('fails for a box that is missing, of another class, or too many', () => {
    expect(differs([box()], [])).toContain('is not seen here');
    expect(differs([], [box()])).toContain('is seen here only');
    expect(differs([box()], [box({ classId: 1 })])).toContain('is not seen here');
    expect(compareBoxes([box()], [], TOLERANCE).largest.score).toBe(Infinity);
  });

  it('lets a box come and go that barely passed the floor', () => {
    expect(differs([box({ score: 0.27 })], [])).toBeUndefined();
    expect(differs([], [box({ score: 0.27 })])).toBeUndefined();
    expect(differs([box({ score: 0.2701 })], [])).toContain('is not seen here');
  });

  it('pairs each box once, also where boxes crowd', () => {
    const twins = [box({ score: 0.9 }), box({ cx: 0.505, score: 0.5 })];
    expect(differs(twins, [...twins].reverse())).toBeUndefined();
    expect(differs(twins, [twins[0] as PredictedBox])).toContain('is not seen here');
  });

  it('agrees that nothing is nothing', () => {
    expect(compareBoxes([], [], TOLERANCE)).toEqual({ largest: { score: 0, box: 0 }, difference: undefined });
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { meanAveragePrecision } from './average-precision.ts';
import type { JudgedFrame, ScoredBox, TruthBox } from './average-precision.ts';

const truth = (x: number, classId = 0): TruthBox => ({ classId, x1: x, y1: 0, x2: x + 10, y2: 10 });
const found = (x: number, score: number, classId = 0): ScoredBox => ({ ...truth(x, classId), score });
const map = (frames: JudgedFrame[], classes = ['helmet', 'head']) => meanAveragePrecision(frames, classes);

describe('meanAveragePrecision', () => {
  it('is 1 where everything is found and nothing else', () => {
    expect(map([{ detections: [found(0, 0.9), found(50, 0.4)], truth: [truth(0), truth(50)] }]).map50).toBe(1);
  });

  it('is 0 where there is truth and nothing is found', () => {
    expect(map([{ detections: [], truth: [truth(0)] }])).toEqual({
      map50: 0,
      perClass: { helmet: { ap50: 0, truths: 1, detections: 0 }, head: { ap50: null, truths: 0, detections: 0 } },
      frames: 1,
      boxes: 1,
    });
  });

  it('is null where there is no truth at all, whatever is found', () => {
    expect(map([]).map50).toBeNull();
    expect(map([{ detections: [found(0, 0.9)], truth: [] }]).map50).toBeNull();
  });

  it('leaves classes without truth out of the mean', () => {
    const { map50, perClass } = map([{ detections: [found(0, 0.9), found(0, 0.9, 1)], truth: [truth(0)] }]);
    expect(map50).toBe(1);
    expect(perClass['head']).toEqual({ ap50: null, truths: 0, detections: 1 });
  });

  it('takes the mean over the classes, not over the boxes', () => {
    const many = Array.from({ length: 9 }, (_, i) => truth(i * 20));
    expect(map([{ detections: [found(0, 0.9, 1)], truth: [...many, truth(0, 1)] }]).map50).toBe(0.5);
  });

  it('counts a second box on one truth as a miss', () => {
    // Ranks: hit, miss, hit; recall 1/2 at precision 1, recall 1 at precision 2/3.
    const frame = { detections: [found(0, 0.9), found(1, 0.8), found(50, 0.7)], truth: [truth(0), truth(50)] };
    expect(map([frame]).map50).toBeCloseTo(0.5 + 0.5 * (2 / 3), 12);
  });

  it('gives a box the free truth that it overlaps most', () => {
    // Two truths close together: the better box takes the nearer one, the other is left for the second box.
    const frame = { detections: [found(2, 0.9), found(3, 0.8)], truth: [truth(0), truth(3)] };
    expect(map([frame]).map50).toBe(1);
  });

  it('takes an overlap equal to the limit, not one below', () => {
    const half = { classId: 0, x1: 0, y1: 0, x2: 10, y2: 5, score: 0.9 };
    expect(map([{ detections: [half], truth: [truth(0)] }]).map50).toBe(1);
    expect(map([{ detections: [{ ...half, y2: 4.99 }], truth: [truth(0)] }]).map50).toBe(0);
  });

  it('never matches across frames or classes', () => {
    expect(
      map([
        { detections: [found(0, 0.9)], truth: [] },
        { detections: [], truth: [truth(0)] },
      ]).map50,
    ).toBe(0);
    expect(map([{ detections: [found(0, 0.9, 1)], truth: [truth(0)] }]).map50).toBe(0);
  });

  it('lifts precision to the best reached at any higher recall', () => {
    // Misses first, then two hits: precision 0, 1/2, 2/3; the envelope is 2/3 throughout.
    const frame = { detections: [found(200, 0.9), found(0, 0.8), found(50, 0.7)], truth: [truth(0), truth(50)] };
    expect(map([frame]).map50).toBeCloseTo(2 / 3, 12);
  });

  it('lets equal scores enter together', () => {
    const hit = { detections: [found(0, 0.5)], truth: [truth(0)] };
    const miss = { detections: [found(0, 0.5)], truth: [] };
    expect(map([hit, miss]).map50).toBe(0.5);
    expect(map([miss, hit]).map50).toBe(0.5);
  });

  const box = fc.record({ at: fc.integer({ min: 0, max: 6 }), score: fc.constantFrom(0.1, 0.4, 0.4, 0.8), classId: fc.nat(1) });
  const frame = fc
    .record({ found: fc.array(box, { maxLength: 5 }), there: fc.array(box, { maxLength: 5 }) })
    .map(({ found: f, there }): JudgedFrame => ({
      detections: f.map(({ at, score, classId }) => found(at * 7, score, classId)),
      truth: there.map(({ at, classId }) => truth(at * 7, classId)),
    }));

  it('does not depend on the order of the frames and lies in 0..1', () => {
    fc.assert(
      fc.property(
        fc
          .array(frame, { maxLength: 6 })
          .chain((frames) => fc.tuple(fc.constant(frames), fc.shuffledSubarray(frames, { minLength: frames.length }))),
        ([frames, shuffled]) => {
          const score = map(frames);
          expect(map(shuffled)).toEqual(score);
          for (const { ap50 } of Object.values(score.perClass)) expect(ap50 === null || (ap50 >= 0 && ap50 <= 1 + 1e-12)).toBe(true);
        },
      ),
    );
  });

  it('never rises by a false box more sure than all others', () => {
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 4 }), (frames) => {
        const worse = [...frames, { detections: [found(900, 0.99)], truth: [] }];
        expect(map(worse).perClass['helmet']!.ap50 ?? 0).toBeLessThanOrEqual(map(frames).perClass['helmet']!.ap50 ?? 0);
      }),
    );
  });
});

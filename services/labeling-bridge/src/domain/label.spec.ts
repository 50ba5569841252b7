import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalBoxes, findBoxProblem, labelText } from './label.ts';

const fraction = fc.double({ min: 0.001, max: 1, noNaN: true });
const box = fc.record({ classId: fc.nat(3), cx: fraction, cy: fraction, w: fraction, h: fraction });

describe('a label', () => {
  it('is the same whatever the order of its boxes, and however often it is written', () => {
    fc.assert(
      fc.property(fc.array(box, { maxLength: 8 }), (boxes) => {
        expect(labelText(boxes.toReversed())).toBe(labelText(boxes));
        expect(labelText([...boxes, ...boxes])).toBe(labelText(boxes));
        expect(labelText(canonicalBoxes(boxes))).toBe(labelText(boxes));
        for (const each of canonicalBoxes(boxes)) expect(Math.min(each.w, each.h)).toBeGreaterThan(0);
      }),
    );
  });

  it('keeps a box that is thinner than the rounding', () => {
    expect(canonicalBoxes([{ classId: 0, cx: 0.5, cy: 0.5, w: 1e-9, h: 1 }])[0]?.w).toBeGreaterThan(0);
  });

  it('names only classes that exist', () => {
    const boxes = [0, 1, 2].map((classId) => ({ classId, cx: 0.5, cy: 0.5, w: 0.1, h: 0.1 }));
    expect(findBoxProblem(boxes.slice(0, 2), ['helmet', 'head'])).toBeUndefined();
    expect(findBoxProblem(boxes, ['helmet', 'head'])).toEqual({ index: 2, problem: 'class 2 does not exist; there are: 0 helmet, 1 head' });
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { emptyBaseline, distances, learn, spreadOf } from './baseline.ts';

const values = fc.array(fc.double({ min: -1_000, max: 1_000, noNaN: true }), { minLength: 2, maxLength: 50 });

describe('a baseline', () => {
  it('has the mean and the deviation of what it learned, as the long way gives them', () => {
    fc.assert(
      fc.property(values, (given) => {
        const { measures } = given.reduce((baseline, value) => learn(baseline, { brightness: value }), emptyBaseline('r'));
        const mean = given.reduce((sum, value) => sum + value, 0) / given.length;
        const deviation = Math.sqrt(given.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (given.length - 1));
        expect(measures.brightness?.mean).toBeCloseTo(mean, 6);
        expect(spreadOf('brightness', measures.brightness ?? { count: 0, mean: 0, squares: 0 })).toBeCloseTo(Math.max(deviation, 0.04), 6);
      }),
    );
  });

  it('compares nothing that one side does not know', () => {
    const baseline = learn(emptyBaseline('r'), { brightness: 0.5, sharpness: 1 });
    expect(distances(baseline, { brightness: 0.5, 'mean-score': 0.9 }).map((one) => one.measure)).toEqual(['brightness']);
  });

  it('never has a spread of zero', () => {
    const baseline = learn(emptyBaseline('r'), { sharpness: 0 });
    expect(distances(baseline, { sharpness: 1 })[0]?.distance).toBe(10_000);
  });
});

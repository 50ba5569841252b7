import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planWaves, seededOrder, waveSize } from './plan.ts';

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `n${index}`);
const sizes = (waves: string[][]): number[] => waves.map(({ length }) => length);

describe('planWaves', () => {
  it('takes counts and percentages of all selected nodes, rounded down', () => {
    expect(sizes(planWaves(ids(10), [{ count: 1 }, { percent: 50 }, { percent: 100 }], 1))).toEqual([1, 5, 4]);
    expect(sizes(planWaves(ids(3), [{ count: 1 }, { percent: 50 }, { percent: 100 }], 1))).toEqual([1, 1, 1]);
  });

  it('takes at least one node for a small percentage', () => {
    expect(waveSize({ percent: 1 }, 10)).toBe(1);
  });

  it('leaves out waves that would be empty', () => {
    expect(sizes(planWaves(ids(1), [{ count: 1 }, { percent: 50 }, { percent: 100 }], 1))).toEqual([1]);
    expect(planWaves([], [{ count: 1 }], 1)).toEqual([]);
  });

  it('leaves nodes beyond the last wave alone', () => {
    expect(sizes(planWaves(ids(10), [{ count: 2 }, { percent: 10 }], 1))).toEqual([2, 1]);
  });

  it('orders by the seed alone', () => {
    expect(seededOrder(['b', 'a', 'c', 'a'], 3)).toEqual(seededOrder(['c', 'b', 'a'], 3));
    const orders = new Set(Array.from({ length: 20 }, (_, seed) => seededOrder(ids(5), seed).join()));
    expect(orders.size).toBeGreaterThan(5);
  });

  it('offers each node at most once, whatever the sizes', () => {
    const size = fc.oneof(fc.record({ count: fc.integer({ min: 1, max: 30 }) }), fc.record({ percent: fc.integer({ min: 1, max: 100 }) }));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.array(size, { minLength: 1, maxLength: 6 }), fc.nat(), (count, waves, seed) => {
        const planned = planWaves(ids(count), waves, seed).flat();
        expect(new Set(planned).size).toBe(planned.length);
        expect(planned.every((nodeId) => ids(count).includes(nodeId))).toBe(true);
      }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs, deathsInARow } from './backoff.ts';

const limits = { firstMs: 100, maxMs: 1_000, steadyMs: 5_000 };

describe('back-off', () => {
  it('starts with the first wait and doubles', () => {
    expect([1, 2, 3, 4].map((deaths) => backoffMs(deaths, limits))).toEqual([100, 200, 400, 800]);
  });

  it('never passes the cap and never falls', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), (deaths) => {
        const wait = backoffMs(deaths, limits);
        expect(wait).toBeLessThanOrEqual(limits.maxMs);
        expect(backoffMs(deaths + 1, limits)).toBeGreaterThanOrEqual(wait);
      }),
    );
  });

  it('forgives earlier deaths after a steady life, exactly at the limit too', () => {
    expect(deathsInARow(7, 4_999, limits)).toBe(8);
    expect(deathsInARow(7, 5_000, limits)).toBe(1);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chanceOf, hashOf, normalOf } from './chance.ts';
import { FRAME, siteOf } from './site.ts';
import { figuresAt } from './walk.ts';

const places = fc.record({ seed: fc.integer(), camera: fc.stringMatching(/^[a-z0-9-]{1,12}$/), tick: fc.nat({ max: 100_000 }) });

describe('people on the worksite', () => {
  it('are one to eight, the same whenever the tick is asked for', () => {
    fc.assert(
      fc.property(places, ({ seed, camera, tick }) => {
        const figures = figuresAt(siteOf(seed, camera), seed, camera, tick);
        expect(figures.length).toBeGreaterThanOrEqual(1);
        expect(figures.length).toBeLessThanOrEqual(8);
        expect(figuresAt(siteOf(seed, camera), seed, camera, tick)).toEqual(figures);
      }),
    );
  });

  it('move, but do not jump, from one tick to the next within a shift', () => {
    fc.assert(
      fc.property(places, ({ seed, camera, tick }) => {
        const site = siteOf(seed, camera);
        const before = figuresAt(site, seed, camera, tick);
        const after = new Map(figuresAt(site, seed, camera, tick + 1).map((figure) => [figure.id, figure]));
        const steps = before.flatMap((figure) => {
          const next = after.get(figure.id);
          return next && next.look === figure.look && Math.abs(next.height - figure.height) < 2 ? [Math.abs(next.x - figure.x)] : [];
        });
        expect(steps.filter((step) => step > FRAME.width / 30 && step < FRAME.width / 3)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('wear and lack hard hats on every camera sooner or later', () => {
    const classes = new Set<number>();
    for (let tick = 0; tick < 4000; tick += 97)
      for (const figure of figuresAt(siteOf(3, 'gate'), 3, 'gate', tick)) classes.add(figure.look.classId);
    expect([...classes].sort((left, right) => left - right)).toEqual([0, 1]);
  });
});

describe('chance', () => {
  it('is a function of its words, and keeps word borders apart', () => {
    expect(chanceOf('a', 1).unit()).toBe(chanceOf('a', 1).unit());
    expect(hashOf('a', 'b')).not.toBe(hashOf('ab'));
    expect(hashOf(1, 12)).not.toBe(hashOf(11, 2));
  });

  it('is spread evenly and normally enough for noise', () => {
    const chance = chanceOf('spread');
    const units = Array.from({ length: 20_000 }, () => chance.unit());
    expect(mean(units)).toBeCloseTo(0.5, 1);
    const normals = Array.from({ length: 20_000 }, () => normalOf(chance));
    expect(mean(normals)).toBeCloseTo(0, 1);
    expect(mean(normals.map((value) => value * value))).toBeCloseTo(1, 1);
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

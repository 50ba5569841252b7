import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MOMENTS, planChaos } from './plan.ts';

const victims = ['trainer', 'packager', 'fleet', 'nats-server', 'weed', 'cam-1'];

describe('a chaos plan', () => {
  it('strikes every victim exactly once, at a moment of the turn, whatever the seed', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const strikes = planChaos(victims, seed);
        expect(strikes.map((strike) => strike.victim).sort()).toEqual(victims.toSorted());
        for (const strike of strikes) expect(MOMENTS).toContain(strike.moment);
      }),
    );
  });

  it('is the same for the same seed, and not for every seed', () => {
    expect(planChaos(victims, 7)).toEqual(planChaos(victims, 7));
    expect([1, 2, 3, 4].map((seed) => JSON.stringify(planChaos(victims, seed))).every((plan, _, plans) => plan === plans[0])).toBe(false);
  });

  it('strikes the trainer while it trains, not while it waits', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => expect(['pre-process', 'train', 'evaluate']).toContain(planChaos(['trainer'], seed)[0]?.moment)),
    );
  });
});

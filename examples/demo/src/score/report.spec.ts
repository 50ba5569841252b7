import { describe, expect, it } from '@jest/globals';
import { FALL_MAX, GAIN_MIN, judgeTurn } from './report.ts';

const samples = { accepted: 10, lost: 0, doubled: 0, redelivered: 0, quarantined: 0 };
const releases = { published: 2, lost: 0, doubled: 0 };
const whole = { samples, releases, chaos: false };

describe('a turn', () => {
  it('is better at exactly the asked gain and the allowed fall', () => {
    expect(judgeTurn({ day: 0.5, night: 0 }, { day: 0.5, night: GAIN_MIN }, whole).verdict).toBe(true);
    expect(judgeTurn({ day: FALL_MAX, night: 0 }, { day: 0, night: 0.5 }, whole).verdict).toBe(true);
    expect(judgeTurn({ day: 0.8, night: 0.1 }, { day: 0.8, night: 0.14 }, whole).verdict).toBe(false);
    expect(judgeTurn({ day: 0.8, night: 0.1 }, { day: 0.7, night: 0.6 }, whole)).toMatchObject({
      verdict: false,
      reasons: expect.arrayContaining([expect.stringContaining('at most 0.06')]),
    });
  });

  it('is no success when something was lost, or when nothing could be scored', () => {
    expect(judgeTurn({ day: 0.8, night: 0 }, { day: 0.8, night: 0.6 }, { ...whole, samples: { ...samples, lost: 1 } }).verdict).toBe(false);
    expect(judgeTurn({ day: 0.8, night: 0 }, { day: 0.8, night: 0.6 }, { ...whole, releases: { ...releases, doubled: 1 } }).verdict).toBe(
      false,
    );
    expect(judgeTurn({ day: null, night: null }, { day: null, night: null }, whole).verdict).toBe(false);
  });

  it('proves nothing under chaos that did not bite', () => {
    const [first, last] = [
      { day: 0.8, night: 0 },
      { day: 0.8, night: 0.6 },
    ];
    expect(judgeTurn(first, last, { ...whole, chaos: true }).verdict).toBe(false);
    expect(judgeTurn(first, last, { ...whole, samples: { ...samples, redelivered: 3 }, chaos: true }).verdict).toBe(true);
  });
});

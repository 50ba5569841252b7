import { describe, expect, it } from '@jest/globals';
import type { Evaluation, SliceScore } from '@edgeloop/contracts';
import { judgeCandidate } from './gate.ts';

const rule = { gainMin: 0.02, sliceFallMax: 0.06, sliceFramesMin: 8, firstModelMin: 0.2 };
const slice = (map50: number | null, frames = 20): SliceScore => ({ map50, perClass: {}, frames, boxes: frames * 3 });

function compared(day: [number, number], night: [number, number], frames = 20): Evaluation {
  const model = (at: 0 | 1) => ({
    overall: slice((day[at] + night[at]) / 2),
    slices: { day: slice(day[at], frames), night: slice(night[at], frames) },
  });
  return { candidate: model(0), incumbent: model(1) };
}

describe('the offline gate', () => {
  it('passes a candidate that wins the night and keeps the day', () => {
    expect(judgeCandidate(compared([0.75, 0.79], [0.5, 0.03]), rule).verdict).toBe('passed');
  });

  it('refuses a candidate that forgets the day, however good its night', () => {
    const verdict = judgeCandidate(compared([0.38, 0.79], [0.6, 0.03]), rule);
    expect(verdict).toMatchObject({ verdict: 'refused' });
    expect(verdict.reasons.join('\n')).toContain('day: 0.380 against 0.790, fell by more than 0.060');
  });

  it('lets a slice fall by exactly the bound, not by more', () => {
    const exact = { ...rule, sliceFallMax: 0.25 };
    expect(judgeCandidate(compared([0.5, 0.75], [0.75, 0.25]), exact).verdict).toBe('passed');
    expect(judgeCandidate(compared([0.499, 0.75], [0.75, 0.25]), exact).verdict).toBe('refused');
  });

  it('refuses a candidate that is no better, and one that gains less than asked', () => {
    expect(judgeCandidate(compared([0.5, 0.5], [0.5, 0.5]), rule).verdict).toBe('refused');
    expect(judgeCandidate(compared([0.5, 0.5], [0.53, 0.5]), rule).verdict).toBe('refused');
  });

  it('does not judge on a handful of frames', () => {
    const verdict = judgeCandidate(compared([0.9, 0.1], [0.9, 0.1], 7), rule);
    expect(verdict.verdict).toBe('refused');
    expect(verdict.reasons.at(-1)).toContain('no slice could be judged');
  });

  it('asks of a first model only its overall score', () => {
    const first = (map50: number | null): Evaluation => ({ candidate: { overall: slice(map50), slices: {} }, incumbent: null });
    expect([
      judgeCandidate(first(0.2), rule).verdict,
      judgeCandidate(first(0.19), rule).verdict,
      judgeCandidate(first(null), rule).verdict,
    ]).toEqual(['passed', 'refused', 'refused']);
  });
});

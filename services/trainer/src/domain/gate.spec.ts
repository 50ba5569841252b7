import { describe, expect, it } from '@jest/globals';
import type { Evaluation, SliceScore } from '@edgeloop/contracts';
import { judgeCandidate } from './gate.ts';

const rule = { gainMin: 0.02, sliceFallMax: 0.06, sliceFramesMin: 8, classBoxesMin: 20, firstModelMin: 0.2 };
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

  describe('where a class has few labelled boxes', () => {
    const perClass = (helmet: number, head: number, heads: number) => ({
      helmet: { ap50: helmet, truths: 104, detections: 300 },
      head: { ap50: head, truths: heads, detections: 20 },
    });
    const withHeads = (heads: number): Evaluation => {
      const model = (helmet: number, head: number, night: number) => ({
        overall: slice(night),
        slices: { day: { ...slice((helmet + head) / 2), perClass: perClass(helmet, head, heads) }, night: slice(night) },
      });
      return { candidate: model(0.74, 0.2, 0.53), incumbent: model(0.78, 0.55, 0.01) };
    };

    it('judges the slice by the others, and says so', () => {
      const verdict = judgeCandidate(withHeads(5), rule);
      expect(verdict.verdict).toBe('passed');
      expect(verdict.reasons[0]).toBe('day: 0.740 against 0.780 (without classes of fewer than 20 boxes: head 5)');
    });

    it('counts the class as soon as it has enough', () => {
      const verdict = judgeCandidate(withHeads(20), rule);
      expect(verdict).toMatchObject({
        verdict: 'refused',
        reasons: [expect.stringContaining('day: 0.470 against 0.665, fell'), expect.anything(), expect.anything()],
      });
    });

    it('judges nothing where no class has enough', () => {
      const verdict = judgeCandidate(withHeads(5), { ...rule, classBoxesMin: 200 });
      expect(verdict.reasons).toContain(
        'day: no class has enough labelled boxes, not judged (without classes of fewer than 200 boxes: helmet 104, head 5)',
      );
    });
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

import { describe, expect, it } from '@jest/globals';
import { abortRuleBroken, countWave, judgeWave } from './gates.ts';
import { START, begunRollout, candidates, failedReport, proving, after, watch } from './rollout.fixture.ts';

describe('abortRuleBroken', () => {
  const rule = { failedPercent: 20, failedCountMin: 2 };
  it('holds at exactly the percentage, breaks above it', () => {
    expect(abortRuleBroken(rule, 2, 10)).toBe(false);
    expect(abortRuleBroken(rule, 3, 10)).toBe(true);
  });
  it('needs the minimum count as well', () => {
    expect(abortRuleBroken(rule, 1, 1)).toBe(false);
    expect(abortRuleBroken(rule, 2, 2)).toBe(true);
  });
  it('zero nodes: nothing failed', () => {
    expect(abortRuleBroken({ failedPercent: 0, failedCountMin: 1 }, 0, 0)).toBe(false);
  });
  it('at 0 % the first failure breaks it, at 100 % nothing does', () => {
    expect(abortRuleBroken({ failedPercent: 0, failedCountMin: 1 }, 1, 1000)).toBe(true);
    expect(abortRuleBroken({ failedPercent: 100, failedCountMin: 1 }, 5, 5)).toBe(false);
  });
});

describe('judgeWave', () => {
  const tolerant = { strategy: { waves: [{ count: 2 }, { percent: 100 }], abort: { failedPercent: 50, failedCountMin: 1 } } };

  it('waits while nobody answered', () => {
    expect(judgeWave(begunRollout(candidates(4), tolerant))).toEqual({ kind: 'wait' });
  });

  it('waits for the last node, whatever the others did', () => {
    const [first] = begunRollout(candidates(4), tolerant).waves[0] ?? [];
    const rollout = after(begunRollout(candidates(4), tolerant), ...proving([first ?? ''], START + 1000));
    expect(countWave(rollout, 0)).toEqual({ offered: 2, running: 1, proved: 1, failed: 0, pending: 1 });
    expect(judgeWave(rollout)).toEqual({ kind: 'wait' });
  });

  it('passes with failures that equal the rule', () => {
    const begun = begunRollout(candidates(4), tolerant);
    const [first = '', second = ''] = begun.waves[0] ?? [];
    const rollout = after(
      begun,
      { type: 'pause', by: 'test', at: START },
      failedReport(second, START + 1),
      ...proving([first], START + 1000),
    );
    expect(judgeWave(rollout)).toEqual({ kind: 'passed' });
  });

  it('a wave in which nobody proved the release proves nothing, even when the rule tolerates it', () => {
    const patient = { strategy: { waves: [{ count: 1 }, { percent: 100 }], abort: { failedPercent: 50, failedCountMin: 5 } } };
    const begun = begunRollout(candidates(4), patient);
    const [first = ''] = begun.waves[0] ?? [];
    const rollout = after(begun, failedReport(first, START + 1), watch(START + 2));
    expect(rollout.status).toMatchObject({ kind: 'halting', reason: 'no node of wave 1 proved the release (golden-mismatch x1)' });
  });
});

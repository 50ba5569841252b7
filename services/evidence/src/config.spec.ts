import { describe, expect, it } from '@jest/globals';
import { ContradictoryLimitsError, driftLimits, EvidenceConfig } from './config.ts';

describe('limits', () => {
  it('have defaults that agree with each other', () => {
    const limits = driftLimits(EvidenceConfig.parse({}));
    expect(limits.returnSpreads).toBeLessThan(limits.leaveSpreads);
    expect(limits.baselineWindows).toBeGreaterThan(limits.recentWindows);
  });

  it('that contradict each other are refused', () => {
    expect(() => driftLimits(EvidenceConfig.parse({ EVIDENCE_LEAVE_SPREADS: '2', EVIDENCE_RETURN_SPREADS: '2' }))).toThrow(
      ContradictoryLimitsError,
    );
  });

  it('are read from text, and nonsense is refused', () => {
    expect(driftLimits(EvidenceConfig.parse({ EVIDENCE_BASELINE_WINDOWS: '30' })).baselineWindows).toBe(30);
    expect(() => EvidenceConfig.parse({ EVIDENCE_BASELINE_WINDOWS: 'many' })).toThrow();
  });
});

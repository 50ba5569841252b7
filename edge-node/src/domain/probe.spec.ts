import { describe, expect, it } from '@jest/globals';
import { INCUMBENT_FRAMES_MIN, NO_EVIDENCE, judgeProbe, withAnswer, withFailure } from './probe.ts';
import type { ModelEvidence } from './probe.ts';

const LIMITS = { framesMin: 20, durationMinMs: 1_000, failuresMax: 2, latencyTimesMax: 3, latencyAlwaysGoodMs: 50 };
const good = { latencyMs: 100, alarms: 1, malformed: 0 };
function evidence(frames: number, frame: Partial<typeof good> = {}, failures = 0): ModelEvidence {
  let found = NO_EVIDENCE;
  for (let index = 0; index < frames; index += 1) found = withAnswer(found, { ...good, ...frame });
  for (let index = 0; index < failures; index += 1) found = withFailure(found);
  return found;
}
const judge = (trial: ModelEvidence, incumbent?: ModelEvidence, elapsedMs = 1_000) => judgeProbe({ trial, incumbent, elapsedMs }, LIMITS);

describe('the probe after the switch', () => {
  it('needs enough frames and enough time, both', () => {
    expect(judge(evidence(19))).toBeUndefined();
    expect(judge(evidence(20), undefined, 999)).toBeUndefined();
    expect(judge(evidence(20))).toBe('passed');
  });

  it('fails on more failures than allowed, not at them, and does not wait for that', () => {
    expect(judge(evidence(20, {}, 2))).toBe('passed');
    expect(judge(evidence(0, {}, 3), undefined, 0)).toMatchObject({ reason: 'probe-errors', severity: 'final' });
  });

  it('fails at once on outputs that are no numbers', () => {
    expect(judge(evidence(1, { malformed: 1 }), undefined, 0)).toMatchObject({ reason: 'probe-not-finite' });
  });

  it('compares its pace with the proven model on this node', () => {
    const before = evidence(INCUMBENT_FRAMES_MIN, { latencyMs: 100 });
    expect(judge(evidence(20, { latencyMs: 300 }), before)).toBe('passed');
    expect(judge(evidence(20, { latencyMs: 301 }), before)).toMatchObject({ reason: 'probe-latency' });
    expect(judge(evidence(20, { latencyMs: 50 }), evidence(INCUMBENT_FRAMES_MIN, { latencyMs: 1 }))).toBe('passed');
    expect(judge(evidence(20, { latencyMs: 9_999 }), evidence(INCUMBENT_FRAMES_MIN - 1))).toBe('passed');
    expect(judge(evidence(20, { latencyMs: 9_999 }))).toBe('passed');
  });

  it('notices a model that sees nothing where the one before saw', () => {
    const seeing = evidence(INCUMBENT_FRAMES_MIN);
    expect(judge(evidence(20, { alarms: 0 }), seeing)).toMatchObject({ reason: 'sees-nothing' });
    expect(judge(withAnswer(evidence(19, { alarms: 0 }), good), seeing)).toBe('passed');
  });

  it('does not call it blind where there was little to see, or nobody to compare with', () => {
    const rarely = withAnswer(evidence(INCUMBENT_FRAMES_MIN, { alarms: 0 }), good);
    expect(judge(evidence(20, { alarms: 0 }), rarely)).toBe('passed');
    expect(judge(evidence(20, { alarms: 0 }))).toBe('passed');
  });
});

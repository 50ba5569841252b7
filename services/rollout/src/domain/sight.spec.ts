import { describe, expect, it } from '@jest/globals';
import { LIMITS, NEW, RUNS_OLD, START, beat } from './rollout.fixture.ts';
import { isFresh, isHealthy, look, runs } from './sight.ts';
import type { Beat, Sight } from './sight.ts';

const seen = (...beats: Partial<Beat>[]): Sight =>
  beats.reduce<Sight | undefined>(
    (before, more, index) => look(before, beat('n1', index + 1, more), START + index * 1000),
    undefined,
  ) as Sight;
const at = (sight: Sight, later = 0): boolean => isHealthy(sight, NEW, sight.receivedAt + later, LIMITS);

describe('look', () => {
  it('ignores a heartbeat that comes late or twice', () => {
    const sight = seen({}, {});
    expect(look(sight, beat('n1', 2), START + 9000)).toBe(sight);
    expect(look(sight, beat('n1', 1, RUNS_OLD), START + 9000)).toBe(sight);
  });

  it('takes a new epoch with a small sequence for a node that began anew', () => {
    expect(look(seen({}, {}), beat('n1', 0, { epoch: 'epoch-0002' }), START + 9000).beat.epoch).toBe('epoch-0002');
  });

  it('counts heartbeats that name the same model', () => {
    expect(seen({}, {}, RUNS_OLD, RUNS_OLD).sameRunning).toBe(2);
    expect(seen({}, {}, RUNS_OLD).sameRunning).toBe(1);
  });
});

describe('runs', () => {
  it('wants the very weights, not the name alone', () => {
    const claimed = { releaseId: NEW.releaseId, modelDigest: `sha256:${'0'.repeat(64)}`, generation: 2 };
    expect(runs(seen({}), NEW)).toBe(true);
    expect(runs(seen({ running: claimed }), NEW)).toBe(false);
    expect(runs(seen({ running: null }), NEW)).toBe(false);
  });
});

describe('isHealthy', () => {
  it('needs frames that grow under the same release', () => {
    expect(at(seen({}, {}))).toBe(true);
    expect(at(seen({}))).toBe(false);
    expect(at(seen({ framesTotal: 5 }, { framesTotal: 5 }))).toBe(false);
    expect(at(seen(RUNS_OLD, {}))).toBe(false);
  });

  it('forgives a pause in frames up to the limit', () => {
    const paused = seen({}, {}, { framesTotal: 20 });
    const frames = isHealthy(paused, NEW, START + 1000 + LIMITS.inferenceStaleMs, { ...LIMITS, heartbeatStaleMs: 60_000 });
    const late = isHealthy(paused, NEW, START + 1001 + LIMITS.inferenceStaleMs, { ...LIMITS, heartbeatStaleMs: 60_000 });
    expect([frames, late]).toEqual([true, false]);
  });

  it('needs a recent good inference, and says no before the first', () => {
    expect(at(seen({}, { lastInferenceAgoMs: null }))).toBe(false);
    expect(at(seen({}, { lastInferenceAgoMs: LIMITS.inferenceStaleMs }))).toBe(true);
    expect(at(seen({}, { lastInferenceAgoMs: LIMITS.inferenceStaleMs + 1 }))).toBe(false);
  });

  it('says no while more inferences fail than succeed', () => {
    expect(at(seen({}, { inferenceErrors: 11 }))).toBe(false);
    expect(at(seen({}, { inferenceErrors: 10 }))).toBe(true);
  });

  it('does not trust silence', () => {
    expect(isFresh(seen({}), START + LIMITS.heartbeatStaleMs, LIMITS)).toBe(true);
    expect(at(seen({}, {}), LIMITS.heartbeatStaleMs)).toBe(true);
    expect(at(seen({}, {}), LIMITS.heartbeatStaleMs + 1)).toBe(false);
  });
});

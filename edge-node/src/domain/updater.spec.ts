import { describe, expect, it } from '@jest/globals';
import { plan } from './plan.ts';
import { FLOW, STEP_LIMITS, STEP_STARTS_MAX, TRIAL_STARTS_MAX, WAITS_MAX } from './step.ts';
import { advance, crashed, failed, fresh, nextStep, proven, release, started, succeeded, wants } from './updater.spec-kit.ts';
import { evolve } from './updater.ts';

const kinds = (state: Parameters<typeof plan>[0]) => plan(state).map((step) => step.kind);

describe('the update flow', () => {
  it('has nothing to do on a new node but to tidy up', () => {
    expect(kinds(fresh())).toEqual(['tidy']);
    expect(kinds(advance(fresh()))).toEqual([]);
  });

  it('takes the first release through every step, in order', () => {
    expect(kinds(wants(fresh(), 1, release('a')))).toEqual([...FLOW]);
  });

  it('proves a release: it serves, it is recorded, and the good end is reported once', () => {
    const done = proven('a');
    expect(done.node.proven).toEqual({ release: release('a'), generation: 1 });
    expect(done.node.deployment).toBeNull();
    expect(done.live.serving).toBe(release('a').packageDigest);
    expect(done.node.outbox.filter((report) => report.outcome !== null)).toMatchObject([{ outcome: 'committed', generation: 1 }]);
  });

  it('reports each phase once, with growing sequences', () => {
    const { outbox } = proven('a').node;
    expect(outbox.map((report) => report.phase)).toEqual([
      'verifying',
      'downloading',
      'staging',
      'self-testing',
      'switching',
      'probing',
      'committing',
      'idle',
    ]);
    expect(outbox.map((report) => report.sequence)).toEqual(outbox.map((_, index) => index));
  });

  it('keeps the replaced release as the one to go back to, and lets the one before it go', () => {
    const second = advance(wants(proven('a'), 2, release('b')));
    const third = wants(second, 3, release('c'));
    const done = advance(third, 'tidy');
    expect(done.node.previous?.release.releaseId).toBe('model-b');
    expect(plan(done)).toEqual([{ kind: 'tidy', keep: [release('c').packageDigest, release('b').packageDigest] }]);
  });

  it('ignores a desired generation that is not newer', () => {
    const state = proven('a', 5);
    expect(wants(state, 5, release('b'))).toBe(state);
    expect(wants(state, 4, release('b'))).toBe(state);
  });

  it('changes nothing but the policy when a newer generation wants what is there', () => {
    const state = wants(proven('a', 1), 2, release('a'));
    expect(kinds(state)).toEqual([]);
    expect(state.node.outbox.filter((report) => report.outcome !== null)).toHaveLength(1);
  });

  it('says that it is done when another rollout asks for the release that is proven', () => {
    const state = wants(proven('a', 1), 2, release('a', 'rollout-back'));
    expect(kinds(state)).toEqual([]);
    expect(state.node.outbox.at(-1)).toMatchObject({ outcome: 'committed', rolloutId: 'rollout-back', generation: 2 });
  });

  it('goes on with the same package when only the generation changed', () => {
    const downloading = advance(wants(fresh(), 1, release('a')), 'stage');
    const newer = wants(downloading, 2, release('a'));
    expect(newer.node.deployment).toMatchObject({ step: 'stage', generation: 2 });
  });

  it('runs nothing when nothing is desired', () => {
    const state = wants(proven('a'), 2, null);
    expect(kinds(state)).toEqual(['retire']);
    const done = advance(state);
    expect(done.node.proven).toBeNull();
    expect(done.live.serving).toBeNull();
  });
});

describe('a newer generation', () => {
  it.each(FLOW)('supersedes at %s: back to the proven release first, then the newer one', (step) => {
    const busy = started(advance(wants(proven('a'), 2, release('b')), step), step);
    const newer = wants(busy, 3, release('c'));
    expect(kinds(newer)).toContain('roll-back');
    expect(succeeded(newer, step).node.proven?.release.releaseId).toBe('model-a');
    const done = advance(newer);
    expect(done.node.proven?.release.releaseId).toBe('model-c');
    expect(done.node.outbox.find((report) => report.releaseId === 'model-b' && report.outcome !== null)).toMatchObject({
      reason: 'superseded',
    });
    expect(done.node.bad).toBeNull();
  });

  it('asks for the proven release in the middle of a trial: the trial ends and the way back is said to be done', () => {
    const probing = started(advance(wants(proven('a'), 2, release('b')), 'probe'), 'probe');
    const done = advance(wants(probing, 3, release('a', 'rollout-b')));
    expect(done.live.serving).toBe(release('a').packageDigest);
    expect(done.node.outbox.slice(-2)).toMatchObject([
      { releaseId: 'model-b', outcome: 'rolled-back', reason: 'superseded' },
      { releaseId: 'model-a', outcome: 'committed', generation: 3 },
    ]);
  });
});

describe('failures', () => {
  it.each(FLOW)('a final failure at %s brings the proven release back, says why, and is not tried again', (step) => {
    const busy = started(advance(wants(proven('a'), 2, release('b')), step), step);
    const done = advance(failed(busy, step, { reason: 'golden-mismatch', severity: 'final' }));
    expect(done.live.serving).toBe(release('a').packageDigest);
    expect(done.node.proven?.release.releaseId).toBe('model-a');
    expect(done.node.outbox.at(-1)).toMatchObject({ reason: 'golden-mismatch', releaseId: 'model-b', generation: 2 });
    expect(done.node.bad).toMatchObject({ generation: 2, packageDigest: release('b').packageDigest });
    expect(kinds(done)).toEqual([]);
    expect(kinds(crashed(done))[0]).toBe('resume');
    expect(advance(crashed(done)).node.deployment).toBeNull();
  });

  it('calls it rejected when the package is not what was signed, failed before the switch, rolled back after', () => {
    const at = (step: (typeof FLOW)[number], reason: 'digest-mismatch' | 'load-failed' | 'probe-errors') =>
      advance(failed(started(advance(wants(proven('a'), 2, release('b')), step), step), step, { reason })).node.outbox.at(-1)?.outcome;
    expect(at('stage', 'digest-mismatch')).toBe('rejected');
    expect(at('start-generation', 'load-failed')).toBe('failed');
    expect(at('probe', 'probe-errors')).toBe('rolled-back');
  });

  it('retries a step up to its limit, not once more', () => {
    let state = advance(wants(fresh(), 1, release('a')), 'download');
    for (let attempt = 1; attempt < STEP_LIMITS.download.attemptsMax; attempt += 1) {
      state = failed(started(state, 'download'), 'download', { severity: 'retry' });
      expect(nextStep(state)).toBe('download');
    }
    expect(nextStep(failed(started(state, 'download'), 'download', { severity: 'retry' }))).toBe('roll-back');
  });

  it('does not count an absent store as an attempt, yet does not wait for ever', () => {
    let state = started(advance(wants(fresh(), 1, release('a')), 'download'), 'download');
    for (let wait = 0; wait < WAITS_MAX; wait += 1) state = failed(state, 'download', { severity: 'wait', reason: 'unreachable' });
    expect(nextStep(state)).toBe('download');
    expect(nextStep(failed(state, 'download', { severity: 'wait', reason: 'unreachable' }))).toBe('roll-back');
  });

  it('tries a bad package again when a newer generation asks for it', () => {
    const bad = advance(failed(started(wants(fresh(), 1, release('a')), 'verify'), 'verify'));
    expect(kinds(bad)).toEqual([]);
    expect(nextStep(wants(bad, 2, release('a')))).toBe('verify');
  });

  it('brings the proven release back through resume when even rolling back fails', () => {
    let state = failed(started(advance(wants(proven('a'), 2, release('b')), 'probe'), 'probe'), 'probe');
    for (let attempt = 0; attempt < STEP_LIMITS['roll-back'].attemptsMax; attempt += 1)
      state = failed(started(state, 'roll-back'), 'roll-back');
    expect(state.node.deployment).toBeNull();
    expect(nextStep(state)).toBe('resume');
  });

  it('takes the kept slot when the proven one is damaged, then installs what is desired anew', () => {
    const state = crashed(advance(wants(proven('a'), 2, release('b'))));
    const lost = failed(started(state, 'resume'), 'resume', { reason: 'digest-mismatch', severity: 'final' });
    expect(lost.node.proven?.release.releaseId).toBe('model-a');
    expect(kinds(lost).slice(0, 2)).toEqual(['resume', 'verify']);
    expect(advance(lost).node.proven?.release.releaseId).toBe('model-b');
  });

  it('never gives a proven release up because its process would not start', () => {
    let state = crashed(proven('a'));
    for (let attempt = 0; attempt < 20; attempt += 1) state = failed(started(state, 'resume'), 'resume', { severity: 'retry' });
    expect(nextStep(state)).toBe('resume');
    expect(nextStep(wants(state, 2, release('b')))).toBe('verify');
  });

  it('starts the proven release again when its process is gone', () => {
    const lost = evolve(proven('a'), { type: 'generation-lost', packageDigest: release('a').packageDigest });
    expect(nextStep(lost)).toBe('resume');
  });
});

describe('a crash', () => {
  it.each(FLOW)('at %s: the proven release serves again and the deployment is decided', (step) => {
    const busy = started(advance(wants(proven('a'), 2, release('b')), step), step);
    const back = crashed(busy);
    expect(nextStep(back)).toBe('resume');
    expect(back.node.proven?.release.releaseId).toBe('model-a');
    expect(advance(back).node.proven?.release.releaseId).toBe('model-b');
  });

  it('while rolling back: the rollback is repeated', () => {
    const busy = started(failed(started(advance(wants(proven('a'), 2, release('b')), 'probe'), 'probe'), 'probe'), 'roll-back');
    const done = advance(crashed(busy));
    expect(done.node.proven?.release.releaseId).toBe('model-a');
    expect(done.node.outbox.at(-1)).toMatchObject({ outcome: 'rolled-back' });
  });

  it('in the trial, again and again: after the third start it is rolled back', () => {
    let state = wants(proven('a'), 2, release('b'));
    for (let start = 0; start < TRIAL_STARTS_MAX; start += 1) state = crashed(started(advance(state, 'probe'), 'probe'));
    const done = advance(state);
    expect(done.node.proven?.release.releaseId).toBe('model-a');
    expect(done.node.outbox.at(-1)).toMatchObject({ outcome: 'rolled-back', reason: 'trial-crash' });
  });

  it('in a loop before the trial: the breaker ends it', () => {
    let state = wants(proven('a'), 2, release('b'));
    for (let start = 0; start <= STEP_STARTS_MAX; start += 1) state = crashed(started(advance(state, 'download'), 'download'));
    const done = advance(state);
    expect(done.node.outbox.at(-1)).toMatchObject({ outcome: 'failed', reason: 'loop-breaker' });
    expect(done.live.serving).toBe(release('a').packageDigest);
  });
});

describe('reports', () => {
  it('stay in the state until the spool has them, and no longer', () => {
    const state = proven('a');
    const last = state.node.outbox.at(-1)?.sequence ?? 0;
    expect(evolve(state, { type: 'reports-spooled', upTo: last - 1 }).node.outbox).toHaveLength(1);
    expect(evolve(state, { type: 'reports-spooled', upTo: last }).node.outbox).toEqual([]);
  });

  it('the clock floor only rises', () => {
    const risen = evolve(fresh(), { type: 'signed-time-seen', atMs: 5_000 });
    expect(evolve(risen, { type: 'signed-time-seen', atMs: 4_000 }).node.clockFloorMs).toBe(5_000);
  });
});

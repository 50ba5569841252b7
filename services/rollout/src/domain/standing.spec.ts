import { describe, expect, it } from '@jest/globals';
import { NEW, OLD, START, begunRollout, candidates, failedReport, orderedRollout, proving, after } from './rollout.fixture.ts';
import { givesWay, isNewer, plannedNodes, selectedNodes, standingOf, versionNumber } from './standing.ts';

const ONE_WAVE = { strategy: { waves: [{ percent: 100 }], abort: { failedPercent: 60, failedCountMin: 1 } } };
const completed = after(begunRollout(candidates(1), ONE_WAVE), ...proving(['n1'], START + 1000));
const superseded = after(begunRollout(candidates(2), { strategy: { waves: [{ count: 1 }, { count: 1 }] } }), {
  type: 'supersede',
  by: 'r9',
  at: START,
  keeps: ['n1', 'n2'],
});

describe('standingOf', () => {
  it('after a completed rollout: its release', () => {
    expect(standingOf('n1', 'r9', [completed])).toEqual({ previous: NEW.releaseId, exposed: false });
  });
  it('a node that failed in a completed rollout keeps the one before', () => {
    const begun = begunRollout(candidates(2), ONE_WAVE);
    const done = after(begun, failedReport('n2', START), ...proving(['n1'], START + 1000));
    expect(done.status).toMatchObject({ outcome: 'completed' });
    expect(standingOf('n2', 'r9', [done])).toEqual({ previous: OLD.releaseId, exposed: false });
  });
  it('the unproven release of a superseded rollout is nobody to go back to', () => {
    const [treated = '', untreated = ''] = superseded.waves.flat();
    expect(standingOf(treated, 'r9', [superseded, completed])).toEqual({ previous: OLD.releaseId, exposed: true });
    expect(standingOf(treated, 'r10', [superseded])).toEqual({ previous: OLD.releaseId, exposed: false });
    expect(standingOf(untreated, 'r9', [superseded])).toBeUndefined();
  });
  it('a node that no rollout treated has none', () => {
    expect(standingOf('n7', 'r9', [completed])).toBeUndefined();
  });
});

describe('who gives way', () => {
  const newer = orderedRollout({ startedAt: START + 1, rolloutId: 'r2' });
  it('the older of the same model, whatever its nodes', () => {
    expect(givesWay(begunRollout(candidates(1)), newer, [])).toBe(true);
    expect(givesWay(newer, begunRollout(candidates(1)), [])).toBe(false);
    expect(givesWay(completed, newer, ['n1'])).toBe(false);
  });
  it('one of another model when it treats the same nodes', () => {
    const other = { ...newer, release: { ...NEW, name: 'vest' } };
    expect(givesWay(begunRollout(candidates(1)), other, ['n1'])).toBe(true);
    expect(givesWay(begunRollout(candidates(1)), other, ['n2'])).toBe(false);
    expect(givesWay(orderedRollout(), other, ['n2'])).toBe(true);
  });
  it('equal times are told apart the same way everywhere', () => {
    const [a, b] = [orderedRollout({ rolloutId: 'a' }), orderedRollout({ rolloutId: 'b' })];
    expect([isNewer(a, b), isNewer(b, a), isNewer(a, a)]).toEqual([false, true, false]);
  });
});

describe('selection', () => {
  it('takes all, or those named that are enrolled', () => {
    expect(selectedNodes({ all: true }, ['a', 'b'])).toEqual(['a', 'b']);
    expect(selectedNodes({ nodeIds: ['b', 'x'] }, ['a', 'b'])).toEqual(['b']);
  });
  it('plans only what the waves take', () => {
    expect(plannedNodes(orderedRollout({ strategy: { waves: [{ count: 1 }] } }), ['a', 'b', 'c'])).toHaveLength(1);
  });
});

it('v12 is newer than v9', () => {
  expect(versionNumber('v12')).toBeGreaterThan(versionNumber('v9'));
});

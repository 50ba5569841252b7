import { describe, expect, it } from '@jest/globals';
import { decide } from './decide.ts';
import type { Rollout } from './rollout.ts';
import {
  NEW,
  OLD,
  RUNS_OLD,
  START,
  STRATEGY,
  begunRollout,
  candidates,
  failedReport,
  given,
  proving,
  after,
  watch,
} from './rollout.fixture.ts';

const ONE_WAVE = { strategy: { waves: [{ percent: 100 }] } };
const home = { beat: { ...RUNS_OLD, desiredGeneration: 3 }, desired: { releaseId: OLD.releaseId, generation: 3 } };
const wave = (rollout: Rollout, index: number): string[] => [...(rollout.waves[index] ?? [])];

/** Looks at the running waves until the rollout ends. */
function through(rollout: Rollout, waves: number): Rollout {
  let at = START;
  let state = rollout;
  for (let index = 0; index < waves; index++) {
    state = after(state, ...proving(state.waves.slice(0, index + 1).flat(), at + 1000));
    at += 20_000;
  }
  return state;
}

describe('failures', () => {
  it('a node has exactly the deployment time', () => {
    const rollout = begunRollout(candidates(3));
    given(rollout)
      .when(watch(START + STRATEGY.deploymentTimeoutMs))
      .gives();
    given(rollout)
      .when(watch(START + STRATEGY.deploymentTimeoutMs + 1))
      .gives('node-failed', 'halted');
  });
  it('a node that is late but seen running at last is not failed', () => {
    const rollout = begunRollout(candidates(1));
    given(rollout)
      .when(watch(START + 90_000, { n1: {} }))
      .gives('node-running', 'node-healthy');
  });
  it('nobody answered: halts, and names the timeout', () => {
    const [, halted] = decide(begunRollout(candidates(3)), watch(START + 60_001));
    expect(halted).toMatchObject({ reason: '1 of 1 nodes of wave 1 failed (timeout x1): more than 20 % and at least 1' });
  });
  it('a bad report halts at once and brings back all that were offered, earlier waves too', () => {
    const rollout = through(begunRollout(candidates(10)), 1);
    const [bad = ''] = wave(rollout, 1);
    const [, second = ''] = wave(rollout, 1);
    const one = after(rollout, failedReport(bad, START + 30_000));
    const [, halted] = given(one)
      .when(failedReport(second, START + 30_001))
      .gives('node-failed', 'halted');
    expect(halted).toMatchObject({
      outcome: 'rolled-back',
      wave: 1,
      bringBack: expect.arrayContaining([...wave(rollout, 0), ...wave(rollout, 1)]),
    });
    expect((halted as { bringBack: readonly string[] } | undefined)?.bringBack).toHaveLength(6);
  });
  it('does not halt when failures equal the rule', () => {
    const rollout = through(begunRollout(candidates(10)), 1);
    const [bad = ''] = wave(rollout, 1);
    given(rollout)
      .when(failedReport(bad, START + 30_000))
      .gives('node-failed');
  });
  it('a report of another rollout, another release or a node not offered changes nothing', () => {
    const rollout = begunRollout(candidates(3));
    const [first = ''] = wave(rollout, 0);
    const [later = ''] = wave(rollout, 1);
    given(rollout)
      .when({ ...failedReport(first, START), rolloutId: 'r0' } as never)
      .gives();
    given(rollout)
      .when({ ...failedReport(first, START), releaseId: OLD.releaseId } as never)
      .gives();
    given(rollout).when(failedReport(later, START)).gives();
  });
  it('the same report twice counts once', () => {
    const tolerant = begunRollout(candidates(4), { strategy: { waves: [{ count: 2 }], abort: { failedPercent: 60, failedCountMin: 1 } } });
    const [first = ''] = wave(tolerant, 0);
    const once = after(tolerant, failedReport(first, START));
    given(once).when(failedReport(first, START)).gives();
  });
  it('a node that falls back needs two heartbeats to say so', () => {
    const running = after(begunRollout(candidates(1)), watch(START, { n1: {} }));
    given(running)
      .when(watch(START + 1000, { n1: { beat: RUNS_OLD } }))
      .gives('node-failed', 'halted');
  });
  it('a node on its way back by itself is given the time to say why', () => {
    const running = after(begunRollout(candidates(1)), watch(START, { n1: {} }));
    given(running)
      .when(watch(START + 1000, { n1: { beat: { ...RUNS_OLD, phase: 'rolling-back' } } }))
      .gives('node-faltered');
  });
  it('a release that runs but never gets healthy fails at the end of soak and deployment time', () => {
    const stuck = { n1: { beat: { lastInferenceAgoMs: null } } };
    const running = after(begunRollout(candidates(1)), watch(START, stuck));
    given(running)
      .when(watch(START + 70_000, stuck))
      .gives();
    const [failed] = given(running)
      .when(watch(START + 70_001, stuck))
      .gives('node-failed', 'halted');
    expect(failed).toMatchObject({ reason: 'unhealthy' });
  });
  it('a proved node that goes silent for the deployment time fails, also in a later wave', () => {
    const [one, two] = [{ n1: {} }, { n1: { beat: { lastInferenceAgoMs: 99_999 } } }];
    const proved = after(
      begunRollout(candidates(2), { strategy: { waves: [{ percent: 100 }] } }),
      watch(START, one),
      watch(START + 10_000, one),
    );
    const faltered = after(proved, watch(START + 11_000, two));
    expect(faltered.nodes['n1']?.progress).toMatchObject({ at: 'running', proved: true, falteredAt: START + 11_000 });
    given(faltered)
      .when(watch(START + 60_000, two))
      .gives();
    expect(decide(faltered, watch(START + 71_001, two))).toContainEqual({
      type: 'node-failed',
      nodeId: 'n1',
      at: START + 71_001,
      reason: 'unhealthy',
    });
  });
});

describe('a release that sees nothing', () => {
  const baseline = { windows: 10, frames: 200, detections: 400 };
  const blind = { n1: { seen: { windows: 3, frames: 60, detections: 0 } } };
  const rollout = (more: object = { baseline }): Rollout => after(begunRollout(candidates(3, more).slice(0, 1)), watch(START, { n1: {} }));

  it('halts in the first wave although every heartbeat is healthy', () => {
    const [failed] = given(rollout())
      .when(watch(START + 5000, blind))
      .gives('node-failed', 'halted');
    expect(failed).toMatchObject({ reason: 'sees-nothing' });
  });
  it('is not taken for proved before its telemetry says so', () => {
    given(rollout())
      .when(watch(START + 10_000, { n1: {} }))
      .gives();
    given(rollout())
      .when(watch(START + 10_000, { n1: { seen: { windows: 1, frames: 5, detections: 0 } } }))
      .gives();
    given(rollout())
      .when(watch(START + 10_000, { n1: { seen: { windows: 1, frames: 5, detections: 9 } } }))
      .gives('node-proved', 'wave-completed', 'ended');
  });
  it('no telemetry at all, where there was some before, fails at the deadline', () => {
    const [failed] = given(rollout())
      .when(watch(START + 70_001, { n1: {} }))
      .gives('node-failed', 'halted');
    expect(failed).toMatchObject({ reason: 'no-telemetry' });
  });
  it('is not judged on the first rollout of all, nor on a scene that was empty before', () => {
    given(rollout({ baseline: null, previous: null }))
      .when(watch(START + 10_000, blind))
      .gives('node-proved', 'wave-completed', 'ended');
    given(rollout({ baseline: { windows: 10, frames: 200, detections: 0 } }))
      .when(watch(START + 10_000, blind))
      .gives('node-proved', 'wave-completed', 'ended');
  });
});

describe('the way back', () => {
  const halting = (): Rollout => after(begunRollout(candidates(1), ONE_WAVE), failedReport('n1', START));

  it('ends when each node is seen at rest on the proven release', () => {
    given(halting())
      .when(watch(START + 1000, { n1: home }))
      .gives('node-back', 'ended');
  });
  it('does not take an old heartbeat for the way back', () => {
    given(halting())
      .when(watch(START + 1000, { n1: { ...home, beat: { ...RUNS_OLD, desiredGeneration: 2 } } }))
      .gives();
    given(halting())
      .when(watch(START + 1000, { n1: { ...home, desired: { releaseId: NEW.releaseId, generation: 3 } } }))
      .gives();
    given(halting())
      .when(watch(START + 1000, { n1: { ...home, beat: { ...home.beat, phase: 'rolling-back' } } }))
      .gives();
    given(halting())
      .when(watch(START + 1000, { n1: { ...home, beat: { ...home.beat, running: null } } }))
      .gives();
  });
  it('a node that never had a release is home when it runs nothing', () => {
    const first = after(begunRollout(candidates(1, { previous: null }), ONE_WAVE), failedReport('n1', START));
    const empty = { beat: { running: null, desiredGeneration: 3 }, desired: { releaseId: null, generation: 3 } };
    given(first)
      .when(watch(START + 1000, { n1: empty }))
      .gives('node-back', 'ended');
  });
  it('has a deadline, and says who was not seen back', () => {
    given(halting())
      .when(watch(START + 60_000))
      .gives();
    const [ended] = given(halting())
      .when(watch(START + 60_001))
      .gives('ended');
    expect(ended).toMatchObject({ outcome: 'rolled-back', reason: expect.stringContaining('not seen back: n1') });
  });
});

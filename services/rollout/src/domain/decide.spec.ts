import { describe, expect, it } from '@jest/globals';
import { NODES_PER_ROLLOUT_MAX, PAUSE_DEADLINE_MS, START_DEADLINE_MS } from './rollout.ts';
import type { Rollout } from './rollout.ts';
import {
  NEW,
  START,
  STRATEGY,
  begunRollout,
  candidates,
  failedReport,
  given,
  orderedRollout,
  proving,
  after,
  watch,
} from './rollout.fixture.ts';

const ONE_WAVE = { strategy: { waves: [{ percent: 100 }] } };
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

describe('begin', () => {
  it('offers the first wave only', () => {
    const rollout = begunRollout(candidates(10));
    expect(rollout.waves.map(({ length }) => length)).toEqual([1, 5, 4]);
    expect(Object.values(rollout.nodes).filter(({ progress }) => progress.at === 'offered')).toHaveLength(1);
  });
  it('with zero nodes it completes at once', () => {
    given(orderedRollout()).when({ type: 'begin', at: START, candidates: [], releases: {} }).gives('begun', 'ended');
    expect(begunRollout([]).status).toMatchObject({ kind: 'ended', outcome: 'completed' });
  });
  it('refuses more nodes than fit one document, with the number', () => {
    const [event] = given(orderedRollout())
      .when({ type: 'begin', at: START, candidates: candidates(NODES_PER_ROLLOUT_MAX + 1), releases: {} })
      .gives('ended');
    expect(event).toMatchObject({ outcome: 'aborted', reason: expect.stringContaining('1001 nodes') });
  });
  it('a second begin changes nothing', () => {
    given(begunRollout(candidates(3)))
      .when({ type: 'begin', at: START, candidates: candidates(9), releases: {} })
      .gives();
  });
  it('gives up when the fleet does not answer in time', () => {
    given(orderedRollout())
      .when(watch(START + START_DEADLINE_MS))
      .gives();
    given(orderedRollout())
      .when(watch(START + START_DEADLINE_MS + 1))
      .gives('ended');
  });
});

describe('waves', () => {
  it('three waves, each after the one before proved the release', () => {
    const rollout = through(begunRollout(candidates(10)), 3);
    expect(rollout.status).toMatchObject({ kind: 'ended', outcome: 'completed', reason: 'every node runs it' });
  });
  it('a claim of success offers nothing: only heartbeats count', () => {
    const rollout = begunRollout(candidates(3));
    const [first = ''] = wave(rollout, 0);
    const claim = {
      type: 'reported',
      at: START,
      nodeId: first,
      rolloutId: 'r1',
      releaseId: NEW.releaseId,
      outcome: 'committed',
      reason: null,
    } as const;
    given(rollout).when(claim).gives();
  });
  it('soaks: one millisecond less is not enough, exactly the soak time is', () => {
    const rollout = begunRollout(candidates(3));
    const [first = ''] = wave(rollout, 0);
    const running = after(rollout, watch(START, { [first]: {} }));
    given(running)
      .when(watch(START + STRATEGY.soakMs - 1, { [first]: {} }))
      .gives();
    given(running)
      .when(watch(START + STRATEGY.soakMs, { [first]: {} }))
      .gives('node-proved', 'wave-completed', 'wave-offered');
  });
  it('with no soak time a healthy node proves the release at first sight', () => {
    const rollout = begunRollout(candidates(1), { strategy: { soakMs: 0 } });
    given(rollout)
      .when(watch(START, { n1: {} }))
      .gives('node-running', 'node-healthy', 'node-proved', 'wave-completed', 'ended');
  });
  it('a node that falters soaks anew', () => {
    const rollout = after(
      begunRollout(candidates(1)),
      watch(START, { n1: {} }),
      watch(START + 9_000, { n1: { beat: { lastInferenceAgoMs: 99_000 } } }),
    );
    const again = after(rollout, watch(START + 10_000, { n1: {} }));
    given(again)
      .when(watch(START + 19_999, { n1: {} }))
      .gives();
    given(again)
      .when(watch(START + 20_000, { n1: {} }))
      .gives('node-proved', 'wave-completed', 'ended');
  });
  it('a node in its own probation has not proved the release', () => {
    const running = after(begunRollout(candidates(1)), watch(START, { n1: {} }));
    given(running)
      .when(watch(START + 20_000, { n1: { beat: { phase: 'probing' } } }))
      .gives();
  });
  it('the same sight twice writes nothing', () => {
    const running = after(begunRollout(candidates(1)), watch(START, { n1: {} }));
    given(running)
      .when(watch(START, { n1: {} }))
      .gives();
    given(running)
      .when(watch(START + 5_000, { n1: {} }))
      .gives();
  });
});

describe('commands', () => {
  const paused = (): Rollout => after(begunRollout(candidates(3)), { type: 'pause', by: 'ann', at: START });

  it('a paused rollout offers nothing more, and goes on when resumed', () => {
    const [first = ''] = wave(paused(), 0);
    const proved = after(paused(), ...proving([first], START + 1000));
    given(proved)
      .when(watch(START + 12_000, { [first]: {} }))
      .gives();
    const resumed = after(proved, { type: 'resume', by: 'ann', at: START + 13_000 });
    given(resumed)
      .when(watch(START + 14_000, { [first]: {} }))
      .gives('wave-completed', 'wave-offered');
  });
  it('a pause does not keep a bad release in the field', () => {
    const [first = ''] = wave(paused(), 0);
    given(paused())
      .when(failedReport(first, START + 1))
      .gives('node-failed', 'halted');
  });
  it('a forgotten pause ends', () => {
    const [first = ''] = wave(paused(), 0);
    const proved = after(paused(), ...proving([first], START + 1000));
    given(proved)
      .when(watch(START + PAUSE_DEADLINE_MS, { [first]: {} }))
      .gives();
    given(proved)
      .when(watch(START + PAUSE_DEADLINE_MS + 1, { [first]: {} }))
      .gives('halted');
  });
  it('abort brings every treated node back', () => {
    const [halted] = given(begunRollout(candidates(3)))
      .when({ type: 'abort', by: 'ann', at: START })
      .gives('halted');
    expect(halted).toMatchObject({ outcome: 'aborted', reason: 'aborted by ann' });
    given(orderedRollout()).when({ type: 'abort', by: 'ann', at: START }).gives('ended');
  });
  it('commands that do not fit change nothing', () => {
    given(paused()).when({ type: 'pause', by: 'bob', at: START }).gives();
    given(begunRollout(candidates(3)))
      .when({ type: 'resume', by: 'bob', at: START })
      .gives();
    const done = begunRollout([]);
    for (const type of ['pause', 'resume', 'abort'] as const) given(done).when({ type, by: 'bob', at: START }).gives();
  });
  it('a newer rollout ends it at once and sends back whom it does not treat', () => {
    const rollout = begunRollout(candidates(3), ONE_WAVE);
    const [ended] = given(rollout)
      .when({ type: 'supersede', by: 'r2', at: START, keeps: ['n1', 'n2'] })
      .gives('ended');
    expect(ended).toMatchObject({ outcome: 'superseded', supersededBy: 'r2', bringBack: ['n3'] });
  });
});

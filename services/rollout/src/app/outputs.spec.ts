import { typeId } from '@edgeloop/contracts';
import { describe, expect, it } from '@jest/globals';
import { decide } from '../domain/decide.ts';
import type { RolloutInput } from '../domain/decide.ts';
import { OLD, START, begunRollout, candidates, failedReport, orderedRollout, proving, after } from '../domain/rollout.fixture.ts';
import type { Rollout } from '../domain/rollout.ts';
import { settled } from './outputs.ts';
import { RolloutDocument } from './rollout-document.ts';
import { viewOf } from './rollout-view.ts';
import { RolloutView } from '@edgeloop/contracts';

function said(rollout: Rollout, input: RolloutInput) {
  return settled(rollout, decide(rollout, input)).outputs;
}

const HISTORY: [string, Rollout, RolloutInput][] = [
  ['begin', orderedRollout(), { type: 'begin', at: START, candidates: candidates(3), releases: { [OLD.releaseId]: OLD } }],
  ['begin with nobody', orderedRollout(), { type: 'begin', at: START, candidates: [], releases: {} }],
  [
    'next wave',
    after(begunRollout(candidates(3)), proving(begunRollout(candidates(3)).waves[0] ?? [], START)[0] as RolloutInput),
    proving(begunRollout(candidates(3)).waves[0] ?? [], START)[1] as RolloutInput,
  ],
  ['halt', begunRollout(candidates(3)), failedReport(begunRollout(candidates(3)).waves[0]?.[0] ?? '', START)],
  ['pause', begunRollout(candidates(3)), { type: 'pause', by: 'ann', at: START }],
  ['resume', after(begunRollout(candidates(3)), { type: 'pause', by: 'ann', at: START }), { type: 'resume', by: 'ann', at: START }],
  ['abort', begunRollout(candidates(3)), { type: 'abort', by: 'ann', at: START }],
  ['supersede', begunRollout(candidates(3)), { type: 'supersede', by: 'r2', at: START, keeps: [] }],
];

const TYPES: Record<string, string[]> = {
  begin: ['rollout.started', 'rollout.wave-started', 'rollout.assigned'],
  'begin with nobody': ['rollout.started', 'rollout.ended'],
  'next wave': ['rollout.wave-completed', 'rollout.wave-started', 'rollout.assigned'],
  halt: ['rollout.halted', 'rollout.assigned'],
  pause: ['rollout.paused'],
  resume: ['rollout.resumed'],
  abort: ['rollout.assigned'],
  supersede: ['rollout.assigned', 'rollout.ended'],
};

describe('what the world hears', () => {
  it.each(HISTORY)('%s: messages that keep their contracts, under ids of their own', (name, rollout, input) => {
    const outputs = said(rollout, input);
    expect(outputs.map(({ contract }) => contract.type)).toEqual(TYPES[name]);
    for (const { contract, payload } of outputs)
      expect([typeId(contract), contract.payload.safeParse(payload).error]).toEqual([typeId(contract), undefined]);
    expect(new Set(outputs.map(({ id }) => id)).size).toBe(outputs.length);
  });

  it.each(HISTORY)('%s: decided again on the same state it is the same, to the letter', (_, rollout, input) => {
    expect(said(rollout, input)).toEqual(said(rollout, input));
  });

  it.each(HISTORY)('%s: the state fits its document and its view', (_, rollout, input) => {
    const { state } = settled(rollout, decide(rollout, input));
    expect(RolloutDocument.parse(JSON.parse(JSON.stringify(state)))).toEqual(state);
    expect(RolloutView.safeParse(viewOf(state)).error).toBeUndefined();
  });

  it('the way back is told per release that nodes go back to, and to nothing where there was none', () => {
    const mixed = [...candidates(2), { nodeId: 'n3', previous: null, exposed: false, baseline: null }];
    const rollout = begunRollout(mixed, { strategy: { waves: [{ percent: 100 }] } });
    const back = said(rollout, { type: 'abort', by: 'ann', at: START }).map(
      ({ payload }) => payload as { kind: string; release: { releaseId: string } | null; nodeIds: string[] },
    );
    const told = Object.fromEntries(back.map(({ release, nodeIds }) => [release?.releaseId ?? 'nothing', nodeIds.toSorted()]));
    expect(told).toEqual({ [OLD.releaseId]: ['n1', 'n2'], nothing: ['n3'] });
    expect(back.every(({ kind }) => kind === 'rollback')).toBe(true);
  });

  it('assignments of one rollout never share an id', () => {
    const first = begunRollout(candidates(3));
    const offered = said(orderedRollout(), HISTORY[0]?.[2] as RolloutInput);
    const back = said(first, { type: 'abort', by: 'ann', at: START });
    const ids = [...offered, ...back].flatMap(({ payload }) => (payload as { assignmentId?: string }).assignmentId ?? []);
    expect(new Set(ids).size).toBe(2);
  });
});

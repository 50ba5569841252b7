import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { assignment, node, policy, release, surroundings } from './node.fixture.ts';
import { ASSIGNMENTS_REMEMBERED_MAX, assign, reconcile, report } from './node.ts';
import type { Assignment, Node, Reported } from './node.ts';

const after = (start: Node, ...assignments: Assignment[]): Node => assignments.reduce((state, next) => assign(state, next) ?? state, start);

describe('enrolled', () => {
  it('starts with what the fleet has proven', () => {
    expect(node({ proven: release('v3') })).toMatchObject({
      generation: 1,
      follows: true,
      release: { releaseId: 'hardhat-v3', rolloutId: null },
    });
    expect(node().release).toBeNull();
  });
});

describe('assign', () => {
  it('sets the release and a new generation', () => {
    expect(after(node(), assignment(5, 'v1'))).toMatchObject({
      generation: 2,
      follows: false,
      release: { releaseId: 'hardhat-v1', rolloutId: 'r1' },
    });
  });
  it('the way back may be to nothing', () => {
    expect(after(node(), assignment(5, 'v1'), assignment(6, null))).toMatchObject({ generation: 3, release: null });
  });
  it('told twice it changes nothing', () => {
    const once = after(node(), assignment(5, 'v1'));
    expect(assign(once, assignment(5, 'v1'))).toBeUndefined();
    expect(assign(once, assignment(9, 'v1', { assignmentId: 'a5' }))).toBeUndefined();
  });
  it('an older one does not override a newer one, whoever sent it', () => {
    const newer = after(node(), assignment(7, 'v2', { rolloutId: 'r2' }));
    expect(assign(newer, assignment(6, 'v1'))).toBeUndefined();
  });
  it('a first offer told again after the way back does not bring the bad release back', () => {
    const back = after(node(), assignment(5, 'v2'), assignment(6, 'v1'));
    expect(assign(back, assignment(8, 'v2', { assignmentId: 'a5' }))).toBeUndefined();
  });
  it('the same release of the same rollout again is taken note of, without a new generation', () => {
    const once = after(node(), assignment(5, 'v1'));
    expect(assign(once, assignment(6, 'v1'))).toMatchObject({ generation: once.generation, assignment: { sequence: 6 } });
  });
  it('remembers a bounded number of assignments', () => {
    const many = Array.from({ length: ASSIGNMENTS_REMEMBERED_MAX + 3 }, (_, index) => assignment(index + 1, `v${index + 1}`));
    expect(after(node(), ...many).assignment.recent).toHaveLength(ASSIGNMENTS_REMEMBERED_MAX);
  });

  it('however assignments are shuffled and repeated, the newest in the stream holds and generations only grow', () => {
    const history = fc
      .shuffledSubarray([1, 2, 3, 4, 5, 6], { minLength: 1 })
      .chain((sequences) => fc.array(fc.constantFrom(...sequences), { minLength: 1 }));
    fc.assert(
      fc.property(history, (sequences) => {
        let state = node();
        for (const sequence of sequences) {
          const next = assign(state, assignment(sequence, `v${sequence}`));
          if (next !== undefined) expect(next.generation).toBe(state.generation + 1);
          state = next ?? state;
        }
        expect(state.release?.version).toBe(`v${Math.max(...sequences)}`);
      }),
    );
  });
});

describe('reconcile', () => {
  it('changes nothing when all is in line', () => {
    expect(reconcile(node(), surroundings())).toBeUndefined();
  });
  it('takes a new policy or campaign', () => {
    expect(reconcile(node(), surroundings({ policy: policy(2) }))).toMatchObject({ generation: 2, policy: { version: 2 } });
    expect(reconcile(node(), surroundings({ campaignId: 'night' }))).toMatchObject({ generation: 2, campaignId: 'night' });
  });
  it('a node that no rollout ever treated follows what is proven', () => {
    expect(reconcile(node(), surroundings({ proven: release('v2') }))).toMatchObject({
      generation: 2,
      release: { releaseId: 'hardhat-v2' },
    });
  });
  it('a node that a rollout treated keeps what it was assigned', () => {
    expect(reconcile(after(node(), assignment(5, 'v1')), surroundings({ proven: release('v2') }))).toBeUndefined();
  });
  it('both at once are one generation', () => {
    expect(reconcile(node(), surroundings({ proven: release('v2'), policy: policy(2) }))?.generation).toBe(2);
  });
});

describe('report', () => {
  const said = (sequence: number, outcome: string): Reported => ({
    releaseId: 'hardhat-v1',
    generation: 2,
    outcome,
    reason: null,
    sequence,
  });
  it('keeps the last word in the order of the stream', () => {
    const first = report(node(), said(4, 'committed')) ?? node();
    expect(report(first, said(3, 'failed'))).toBeUndefined();
    expect(report(first, said(5, 'committed'))).toBeUndefined();
    expect(report(first, said(6, 'rolled-back'))).toMatchObject({ reported: { outcome: 'rolled-back' } });
  });
  it('never changes what the node should do', () => {
    expect(report(node(), said(4, 'committed'))?.generation).toBe(1);
  });
});

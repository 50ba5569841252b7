import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NOTHING_SEEN, decisionOf, seeSnapshot, startByHand } from './trigger.ts';

const rule = { newLabels: 100, newLabelsOfClass: 50 };
const snapshot = (datasetId: string, newLabels: number, newPerClass: Record<string, number> = {}) => ({
  datasetId,
  newLabels,
  newPerClass,
});

describe('the trigger', () => {
  it('starts at exactly the asked number of labels', () => {
    expect(decisionOf(seeSnapshot(NOTHING_SEEN, rule, snapshot('d1', 99)), 'd1')?.starts).toBe(false);
    expect(decisionOf(seeSnapshot(NOTHING_SEEN, rule, snapshot('d1', 100)), 'd1')).toMatchObject({ starts: true, kind: 'new-labels' });
  });

  it('adds up snapshots that were too small', () => {
    const state = seeSnapshot(seeSnapshot(NOTHING_SEEN, rule, snapshot('d1', 60)), rule, snapshot('d2', 40));
    expect(decisionOf(state, 'd2')).toMatchObject({ starts: true, reason: '100 new labels, 100 start a run' });
    expect(state.pendingLabels).toBe(0);
  });

  it('starts on one class alone', () => {
    expect(decisionOf(seeSnapshot(NOTHING_SEEN, rule, snapshot('d1', 20, { head: 50 })), 'd1')).toMatchObject({
      starts: true,
      kind: 'class-labels',
    });
  });

  it('never decides twice about one snapshot, in whatever order and number they come', () => {
    const some = fc.array(
      fc.record({ datasetId: fc.constantFrom('a', 'b', 'c', 'd'), newLabels: fc.nat(150), newPerClass: fc.constant({}) }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(some, (snapshots) => {
        const state = snapshots.reduce((seen, each) => seeSnapshot(seen, rule, each), NOTHING_SEEN);
        const ids = state.decisions.map((decision) => decision.datasetId);
        expect(new Set(ids).size).toBe(ids.length);
        for (const each of snapshots) expect(seeSnapshot(state, rule, each)).toEqual(state);
      }),
    );
  });

  it('lets a person start a snapshot that was too small, but not one that a run was started on', () => {
    const small = seeSnapshot(NOTHING_SEEN, rule, snapshot('d1', 5));
    const byHand = startByHand(small, 'd1', 'because');
    expect(decisionOf(byHand, 'd1')).toMatchObject({ starts: true, kind: 'manual' });
    expect(startByHand(byHand, 'd1', 'again')).toEqual(byHand);
  });

  it('has no rule that is zero', () => {
    expect(
      decisionOf(seeSnapshot(NOTHING_SEEN, { newLabels: 0, newLabelsOfClass: 0 }, snapshot('d1', 9999, { head: 9999 })), 'd1')?.starts,
    ).toBe(false);
  });
});

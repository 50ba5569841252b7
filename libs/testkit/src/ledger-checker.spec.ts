import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ItemFate, LedgerChecker, type LedgerEntry } from './ledger-checker.ts';

const entry = (itemId: string, kind: LedgerEntry['kind'], actor = 'a'): LedgerEntry => ({ actor, itemId, kind });

function verdictOf(entries: readonly LedgerEntry[]): ReturnType<LedgerChecker['verdict']> {
  const checker = new LedgerChecker();
  checker.addAll(entries);
  return checker.verdict();
}

/** The entries of one item with a known fate. */
const stories: Record<ItemFate, fc.Arbitrary<LedgerEntry['kind'][]>> = {
  ok: fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 3 }))
    .map(([tries, receipts]) => [...many('accepted', tries), ...many('acked', receipts), 'applied']),
  lost: fc
    .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 3 }))
    .map(([tries, receipts]) => [...many('accepted', tries), ...many('acked', receipts)]),
  unknown: fc.integer({ min: 1, max: 4 }).map((tries) => many('accepted', tries)),
  duplicated: fc
    .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 2, max: 5 }))
    .map(([tries, effects]) => [...many('accepted', tries), ...many('applied', effects)]),
  unexpected: fc.constant(['applied']),
};
const FATES = Object.keys(stories) as ItemFate[];

function many(kind: LedgerEntry['kind'], count: number): LedgerEntry['kind'][] {
  return Array.from({ length: count }, () => kind);
}

describe('ledger checker', () => {
  it('tells the five fates apart', () => {
    const { counts, items } = verdictOf([
      entry('kept', 'accepted'),
      entry('kept', 'acked'),
      entry('kept', 'applied', 'b'),
      entry('gone', 'accepted'),
      entry('gone', 'acked'),
      entry('pending', 'accepted'),
      entry('twice', 'accepted'),
      entry('twice', 'applied', 'b'),
      entry('twice', 'applied', 'c'),
      entry('stranger', 'applied'),
    ]);
    expect(counts).toEqual({ ok: 1, lost: 1, unknown: 1, duplicated: 1, unexpected: 1 });
    expect(items('lost')).toEqual(['gone']);
    expect(items('duplicated')).toEqual(['twice']);
  });

  it('counts an effect without a receipt as ok: the receipt was lost, not the item', () => {
    expect(verdictOf([entry('x', 'accepted'), entry('x', 'applied')]).counts).toMatchObject({ ok: 1, unknown: 0 });
  });

  it('counts tries after the first', () => {
    expect(verdictOf([entry('x', 'accepted'), entry('x', 'accepted'), entry('x', 'applied'), entry('y', 'accepted')]).retries).toBe(1);
  });

  it('passes over the half line of a killed writer and what is no entry', () => {
    const checker = new LedgerChecker();
    const read = checker.addLog(`${JSON.stringify(entry('x', 'applied'))}\n{"level":30}\n\n{"actor":"a","itemId":"y","ki`);
    expect(read).toBe(1);
    expect([...checker.verdict().fates.keys()]).toEqual(['x']);
  });

  it('gives every item the fate of its story, whatever the order of the logs', () => {
    const world = fc.array(
      fc.constantFrom(...FATES).chain((fate) => stories[fate].map((kinds) => ({ fate, kinds }))),
      { maxLength: 30 },
    );
    const shuffled = world.chain((items) => {
      const entries = items.flatMap(({ kinds }, index) => kinds.map((kind) => entry(`item-${index}`, kind, `actor-${kind}`)));
      return fc.tuple(fc.constant(items), fc.shuffledSubarray(entries, { minLength: entries.length }));
    });
    fc.assert(
      fc.property(shuffled, ([items, entries]) => {
        const { fates, counts } = verdictOf(entries);
        items.forEach(({ fate }, index) => expect(fates.get(`item-${index}`)).toBe(fate));
        expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(items.length);
      }),
    );
  });
});

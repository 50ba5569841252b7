import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { distance, fingerprintOf, shareOf } from './fingerprint.ts';
import { placeItems, type PlacedItem, type SplitItem, type SplitRules } from './split.ts';

const rules: SplitRules = {
  nearDuplicateBits: 3,
  neighbourMs: 1_500,
  neighbourBits: 5,
  holdoutShare: 0.25,
  importedHoldoutShare: 0,
  trainEnough: 200,
  holdoutWanted: 40,
};

function idOf(name: string | number): string {
  return Math.floor(shareOf(`id ${name}`) * 2 ** 32)
    .toString(16)
    .padStart(64, '0');
}

/** A fingerprint unlike that of any other number. */
function printOf(seed: number): string {
  return [shareOf(`high ${seed}`), shareOf(`low ${seed}`)]
    .map((share) =>
      Math.floor(share * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('');
}

function item(name: string | number, changes: Partial<SplitItem> = {}): SplitItem {
  return {
    sampleId: idOf(name),
    dhash: printOf(Number(name)),
    nodeId: 'n1',
    capturedAtMs: Number(name) * 60_000,
    origin: 'collected',
    slice: 'night',
    ...changes,
  };
}

function items(count: number, changes: Partial<SplitItem> = {}, from = 0): SplitItem[] {
  return Array.from({ length: count }, (_, index) => item(from + index, changes));
}

function countOf(placed: readonly PlacedItem[], split: string, slice = 'night'): number {
  return placed.filter((each) => each.split === split && each.slice === slice).length;
}

describe('the split', () => {
  it('measures distances as the number of differing bits', () => {
    expect(distance(fingerprintOf('0000000000000000'), fingerprintOf('ffffffffffffffff'))).toBe(64);
    expect(distance(fingerprintOf('8000000000000001'), fingerprintOf('0000000000000000'))).toBe(2);
    expect(distance(fingerprintOf('00000000f0000000'), fingerprintOf('0000000070000000'))).toBe(1);
  });

  it('keeps a quarter of what was collected away from training', () => {
    const placed = placeItems([], items(120), rules);
    expect([countOf(placed, 'train'), countOf(placed, 'holdout')]).toEqual([90, 30]);
  });

  it('keeps the share over many snapshots', () => {
    let placed: PlacedItem[] = [];
    for (let round = 0; round < 12; round++) placed = [...placed, ...placeItems(placed, items(7, {}, round * 7), rules)];
    expect(countOf(placed, 'holdout')).toBe(21);
  });

  it('learns from everything imported, unless it is told otherwise', () => {
    const imported = items(300, { origin: 'imported', slice: 'day', nodeId: null, capturedAtMs: null });
    expect(countOf(placeItems([], imported, rules), 'train', 'day')).toBe(300);
    const some = countOf(placeItems([], imported, { ...rules, importedHoldoutShare: 0.1 }), 'holdout', 'day');
    expect(some).toBeGreaterThan(15);
    expect(some).toBeLessThan(45);
  });

  it('judges a slice that has enough to learn from on what is new, until it has enough to be judged on', () => {
    const known = placeItems([], items(200, { origin: 'imported', slice: 'day', nodeId: null }), rules);
    const first = placeItems(known, items(30, { slice: 'day' }, 1_000), rules);
    expect(countOf(first, 'holdout', 'day')).toBe(30);
    const second = placeItems([...known, ...first], items(60, { slice: 'day' }, 2_000), rules);
    expect(countOf([...first, ...second], 'holdout', 'day')).toBe(40);
    const fewer = placeItems(known.slice(1), items(30, { slice: 'day' }, 1_000), rules);
    expect(countOf(fewer, 'holdout', 'day')).toBe(8);
  });

  it('keeps near-duplicates together, whoever took them', () => {
    const twins = [item(1, { dhash: '00000000000000ff' }), item(2, { dhash: '00000000000000f8', nodeId: 'n2' })];
    const placed = placeItems([], [...twins, ...items(40, {}, 100)], rules);
    const splits = placed.filter(({ sampleId }) => twins.some((twin) => twin.sampleId === sampleId));
    expect(new Set(splits.map(({ split }) => split)).size).toBe(1);
    expect(new Set(splits.map(({ group }) => group)).size).toBe(1);
  });

  it('parts pictures that differ in one bit more', () => {
    const apart = [item(1, { dhash: '00000000000000ff' }), item(2, { dhash: '00000000000000f0', nodeId: 'n2' })];
    expect(new Set(placeItems([], apart, rules).map(({ group }) => group)).size).toBe(2);
  });

  it("keeps one node's neighbouring frames together, and only these", () => {
    const at = (name: number, nodeId: string, capturedAtMs: number) => item(name, { dhash: '00000000000000ff', nodeId, capturedAtMs });
    const frame = at(1, 'n1', 10_000);
    const groups = (other: SplitItem) =>
      new Set(placeItems([], [frame, { ...other, dhash: '00000000000000e0' }], rules).map(({ group }) => group)).size;
    expect(groups(at(2, 'n1', 11_500))).toBe(1);
    expect(groups(at(2, 'n1', 11_501))).toBe(2);
    expect(groups(at(2, 'n2', 10_000))).toBe(2);
  });

  it('keeps out what is like pictures on both sides', () => {
    const placed: PlacedItem[] = [
      { ...item(1, { dhash: '0000000000000000' }), group: idOf(1), split: 'train' },
      { ...item(2, { dhash: '000000000000003f' }), group: idOf(2), split: 'holdout' },
    ];
    expect(placeItems(placed, [item(3, { dhash: '0000000000000007' })], rules)).toMatchObject([{ split: 'withheld' }]);
  });

  it('learns from a single group as large as everything, and does not judge on it alone', () => {
    const placed = placeItems([], items(50, { dhash: '0123456789abcdef' }), rules);
    expect(countOf(placed, 'train')).toBe(50);
  });

  const someItem = fc
    .record({
      name: fc.nat(400),
      print: fc.nat(25),
      flips: fc.nat(0xff),
      nodeId: fc.constantFrom('n1', 'n2', null),
      at: fc.nat(6_000),
      origin: fc.constantFrom('imported' as const, 'collected' as const),
      slice: fc.constantFrom('day', 'night'),
    })
    .map(({ name, print, flips, at, ...rest }): SplitItem => {
      const base = printOf(print);
      const low = (Number.parseInt(base.slice(8), 16) ^ flips) >>> 0;
      return { ...rest, sampleId: idOf(name), dhash: base.slice(0, 8) + low.toString(16).padStart(8, '0'), capturedAtMs: at };
    });
  const anyRules = fc
    .record({ holdoutShare: fc.double({ min: 0, max: 1, noNaN: true }), trainEnough: fc.integer({ min: 1, max: 20 }) })
    .map((some) => ({ ...rules, ...some, importedHoldoutShare: 0.2 }));

  function areTied(a: SplitItem, b: SplitItem): boolean {
    const bits = distance(fingerprintOf(a.dhash), fingerprintOf(b.dhash));
    if (bits <= rules.nearDuplicateBits) return true;
    const near = a.nodeId !== null && a.nodeId === b.nodeId && Math.abs((a.capturedAtMs ?? 0) - (b.capturedAtMs ?? 0)) <= rules.neighbourMs;
    return near && bits <= rules.neighbourBits;
  }

  it('never has similar pictures on two sides, never moves one, and does not care for order', () => {
    fc.assert(
      fc.property(fc.array(fc.array(someItem, { maxLength: 25 }), { maxLength: 4 }), anyRules, (batches, some) => {
        let placed: PlacedItem[] = [];
        for (const batch of batches) {
          const fresh = placeItems(placed, batch, some);
          expect(placeItems(placed, batch.toReversed(), some).map(({ split }) => split)).toEqual(
            firstWins(batch) ? fresh.map(({ split }) => split) : expect.anything(),
          );
          expect(placeItems([...placed, ...fresh], batch, some)).toEqual([]);
          placed = [...placed, ...fresh];
        }
        expect(new Set(placed.map(({ sampleId }) => sampleId)).size).toBe(placed.length);
        for (const [index, a] of placed.entries()) {
          for (const b of placed.slice(0, index)) {
            if (a.split === 'withheld' || b.split === 'withheld' || !areTied(a, b)) continue;
            expect(a.split).toBe(b.split);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  /** A sample id names its bytes: the same id with other facts cannot happen, so order is only compared where ids are unique. */
  function firstWins(batch: readonly SplitItem[]): boolean {
    return new Set(batch.map(({ sampleId }) => sampleId)).size === batch.length;
  }
});

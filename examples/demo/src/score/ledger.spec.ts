import { describe, expect, it } from '@jest/globals';
import { judgeLedger } from './ledger.ts';
import type { Ledger } from './ledger.ts';

const once = (...ids: string[]) => new Map(ids.map((id) => [id, 1]));
const whole: Ledger = {
  announced: new Set(['a', 'b']),
  accepted: once('a', 'b'),
  tasks: once('a', 'b'),
  answers: once('a', 'b'),
  inDataset: once('a', 'b'),
  withheld: new Set(),
  quarantined: new Set(),
};

describe('the ledger', () => {
  it('finds nothing wrong with samples that went all the way', () => {
    expect(judgeLedger(whole, new Set(['a', 'b']))).toEqual({ lost: 0, doubled: 0 });
  });

  it.each<[string, Partial<Ledger>]>([
    ['announced and never stored', { announced: new Set(['a', 'b', 'c']) }],
    ['accepted and never a task', { tasks: once('a') }],
    ['answered before the snapshot and not in it', { inDataset: once('a') }],
  ])('counts a sample as lost that was %s', (_, change) => {
    expect(judgeLedger({ ...whole, ...change }, new Set(['a', 'b'])).lost).toBe(1);
  });

  it('does not call a quarantined sample lost', () => {
    expect(judgeLedger({ ...whole, announced: new Set(['a', 'b', 'c']), quarantined: new Set(['c']) }, new Set()).lost).toBe(0);
  });

  it('does not call a sample lost that the split keeps out of the dataset', () => {
    const ledger = { ...whole, inDataset: once('a'), withheld: new Set(['b']) };
    expect(judgeLedger(ledger, new Set(['a', 'b'])).lost).toBe(0);
  });

  it('counts what stands anywhere twice', () => {
    expect(
      judgeLedger(
        {
          ...whole,
          tasks: new Map([
            ['a', 2],
            ['b', 1],
          ]),
          inDataset: new Map([
            ['a', 2],
            ['b', 1],
          ]),
        },
        new Set(['a', 'b']),
      ),
    ).toEqual({ lost: 0, doubled: 2 });
  });
});

import { describe, expect, it } from '@jest/globals';
import { EMPTY_BOOK } from '../domain/campaign.ts';
import { reviewServed } from '../domain/node-drifts.ts';
import { CollectorState } from './stored-state.ts';

describe('a stored book of campaigns', () => {
  it('of before campaigns were noted with each drift is read, and what it calls served stays so', () => {
    const drift = { driftedAtMs: 1, settledAtMs: null, served: true, measures: 'brightness 0.5 -> 0.1' };
    const stored = CollectorState.parse({ kind: 'book', lastPolicyVersion: 3, open: [], closed: [], drifts: { n1: drift } });
    if (stored.kind !== 'book') throw new Error(stored.kind);
    expect(stored.drifts).toEqual({ n1: { ...drift, joined: null, tries: 0 } });
    expect(reviewServed(stored, { perCampaign: {}, perNode: new Map() })).toBe(stored);
  });

  it('keeps with each drift which campaign had it', () => {
    const drift = {
      driftedAtMs: 1,
      settledAtMs: null,
      served: true,
      measures: 'm',
      joined: { campaignId: 'drift-2', accepted: 4 },
      tries: 2,
    };
    const book = { kind: 'book', ...EMPTY_BOOK, drifts: { n1: drift } };
    expect(CollectorState.parse(JSON.parse(JSON.stringify(book)))).toEqual(book);
  });
});

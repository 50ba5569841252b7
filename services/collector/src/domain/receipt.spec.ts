import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EMPTY_BOOK, type CampaignBook } from './campaign.ts';
import { decideReceipt, type ClosedClaim, type LedgerReceipt } from './receipt.ts';

const policy = { policyId: 'p', version: 1, rules: [], nearDuplicateBits: 0, samplesMax: null };
const open = {
  campaignId: 'open',
  cause: 'x',
  reason: '',
  policy,
  nodes: { all: true as const },
  samplesTotal: null,
  startedAtMs: 0,
  deadlineMs: null,
};
const book: CampaignBook = { ...EMPTY_BOOK, open: [open] };

const unknown: LedgerReceipt = { kind: 'unknown' };
const accepted: LedgerReceipt = { kind: 'accepted' };
const refused = (cause: string): LedgerReceipt => ({ kind: 'quarantined', cause, reason: 'r' });
const over = (announced: boolean, campaignId = 'over'): ClosedClaim => ({ campaignId, announced });

describe('the receipt for a sample', () => {
  it.each<[string, LedgerReceipt, ClosedClaim | undefined, string]>([
    ['never announced, campaign over', unknown, over(false), 'declined'],
    ['announced and not looked at yet', unknown, over(true), 'unknown'],
    ['object missing, campaign over', refused('object-missing'), over(true), 'declined'],
    ['decoder stuck: the manifest alone may mend it', refused('decoder-stuck'), over(true), 'unknown'],
    ['object missing, the node can still upload', refused('object-missing'), undefined, 'unknown'],
    ['refused for good', refused('undecodable'), over(true), 'quarantined'],
    ['in the ledger, whatever the node believes', accepted, over(false), 'accepted'],
    ['the campaign is open after all', unknown, over(false, 'open'), 'unknown'],
    ['the base campaign never closes', unknown, over(false, 'base'), 'unknown'],
    ['nothing known', unknown, undefined, 'unknown'],
  ])('%s', (_what, known, claim, kind) => {
    expect(decideReceipt(known, claim, book).kind).toBe(kind);
  });

  it('declines nothing that the ledger has, that is open, or that may still be on its way', () => {
    const known = fc.constantFrom(unknown, accepted, refused('object-missing'), refused('decoder-stuck'), refused('wrong-digest'));
    const claim = fc.option(fc.record({ campaignId: fc.constantFrom('open', 'base', 'over'), announced: fc.boolean() }), {
      nil: undefined,
    });
    fc.assert(
      fc.property(known, claim, (receipt, said) => {
        if (decideReceipt(receipt, said, book).kind !== 'declined') return;
        expect(said?.campaignId).toBe('over');
        expect(receipt.kind).not.toBe('accepted');
        if (receipt.kind === 'unknown') expect(said?.announced).toBe(false);
      }),
    );
  });
});

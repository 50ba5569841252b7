import { SAMPLES_PER_GRANT_MAX } from '@edgeloop/contracts';
import { describe, expect, it } from '@jest/globals';
import { EMPTY_BOOK, type CampaignBook } from './campaign.ts';
import { decideGrant } from './grant-decision.ts';

const policy = { policyId: 'p', version: 1, rules: [], nearDuplicateBits: 0, samplesMax: null };

function bookWith(campaign: { samplesTotal: number | null; samplesMax: number | null }): CampaignBook {
  const { samplesTotal, samplesMax } = campaign;
  const open = { campaignId: 'c', cause: 'x', reason: '', nodes: { nodeIds: ['n1'] }, startedAtMs: 0, deadlineMs: null };
  return { ...EMPTY_BOOK, open: [{ ...open, samplesTotal, policy: { ...policy, samplesMax } }] };
}

function decide(
  campaign: { samplesTotal: number | null; samplesMax: number | null },
  accepted: { campaign: number; node: number },
): object {
  return decideGrant(bookWith(campaign), { nodeId: 'n1', campaignId: 'c' }, accepted);
}

describe('upload rights', () => {
  it('are refused for a campaign that is not open, and to a node that it does not select', () => {
    const book = bookWith({ samplesTotal: 1, samplesMax: null });
    const none = { campaign: 0, node: 0 };
    expect(decideGrant(book, { nodeId: 'n1', campaignId: 'other' }, none)).toEqual({ granted: false, reason: 'campaign-closed' });
    expect(decideGrant(book, { nodeId: 'n2', campaignId: 'c' }, none)).toEqual({ granted: false, reason: 'node-unknown' });
  });

  it('end with the budget of the campaign', () => {
    expect(decide({ samplesTotal: 10, samplesMax: null }, { campaign: 9, node: 0 })).toEqual({ granted: true, samplesLeft: 1 });
    expect(decide({ samplesTotal: 10, samplesMax: null }, { campaign: 10, node: 0 })).toEqual({ granted: false, reason: 'budget-spent' });
    expect(decide({ samplesTotal: 10, samplesMax: null }, { campaign: 11, node: 0 })).toEqual({ granted: false, reason: 'budget-spent' });
  });

  it('end with the share of the node', () => {
    expect(decide({ samplesTotal: 10, samplesMax: 4 }, { campaign: 3, node: 3 })).toEqual({ granted: true, samplesLeft: 1 });
    expect(decide({ samplesTotal: 10, samplesMax: 4 }, { campaign: 4, node: 4 })).toEqual({ granted: false, reason: 'budget-spent' });
  });

  it('are bounded even where the campaign is not', () => {
    expect(decide({ samplesTotal: null, samplesMax: null }, { campaign: 1e6, node: 1e6 })).toEqual({
      granted: true,
      samplesLeft: SAMPLES_PER_GRANT_MAX,
    });
  });
});

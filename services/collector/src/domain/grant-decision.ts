import { SAMPLES_PER_GRANT_MAX } from '@edgeloop/contracts';
import { includesNode, openCampaign, type CampaignBook } from './campaign.ts';

export interface AcceptedCounts {
  readonly campaign: number;
  readonly node: number;
}

export type GrantDecision =
  | { readonly granted: true; readonly samplesLeft: number }
  | { readonly granted: false; readonly reason: 'campaign-closed' | 'budget-spent' | 'node-unknown' };

/** The node's name comes from the bus, never from its own words. */
export function decideGrant(book: CampaignBook, asked: { nodeId: string; campaignId: string }, accepted: AcceptedCounts): GrantDecision {
  const campaign = openCampaign(book, asked.campaignId);
  if (campaign === undefined) return { granted: false, reason: 'campaign-closed' };
  if (!includesNode(campaign.nodes, asked.nodeId)) return { granted: false, reason: 'node-unknown' };
  const left = Math.min(leftOf(campaign.samplesTotal, accepted.campaign), leftOf(campaign.policy.samplesMax, accepted.node));
  return left === 0 ? { granted: false, reason: 'budget-spent' } : { granted: true, samplesLeft: left };
}

function leftOf(budget: number | null, accepted: number): number {
  return budget === null ? SAMPLES_PER_GRANT_MAX : Math.min(SAMPLES_PER_GRANT_MAX, Math.max(0, budget - accepted));
}

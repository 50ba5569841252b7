import type { AskCampaigns, AskSamples, CampaignView, ReplyOf, SampleView } from '@edgeloop/contracts';
import { isoOf } from '@edgeloop/runtime';
import type { z } from 'zod';
import type { CampaignBook } from '../domain/campaign.ts';
import type { Campaigns, LedgerCounts, LedgerEntry, RedeliveryTally } from '../ports.ts';

export interface ShowCollectionParts {
  readonly campaigns: Campaigns;
  readonly counts: LedgerCounts;
  readonly tally: RedeliveryTally;
}

export async function showSamples({ counts, tally }: ShowCollectionParts, limit: number): Promise<ReplyOf<typeof AskSamples>> {
  await counts.catchUp();
  const [quarantined, redelivered] = await Promise.all([counts.quarantined(), tally.total()]);
  return { samples: counts.newest(limit).map(sampleView), accepted: counts.total(), quarantined, redelivered };
}

export async function showCampaigns({ campaigns, counts }: ShowCollectionParts, limit: number): Promise<ReplyOf<typeof AskCampaigns>> {
  await counts.catchUp();
  return { campaigns: campaignViews(await campaigns.current(), counts.perCampaign()).slice(0, limit) };
}

function sampleView({ nodeId, manifest, acceptedAt }: LedgerEntry): z.output<typeof SampleView> {
  const { sampleId, campaignId, why, model, picture, object } = manifest;
  return {
    nodeId,
    sampleId,
    campaignId,
    rule: why.rule,
    acceptedAt,
    releaseId: model?.releaseId ?? null,
    brightness: picture.brightness,
    bytes: object.bytes,
  };
}

/** Samples that came in late count too. */
function campaignViews(book: CampaignBook, accepted: Readonly<Record<string, number>>): z.output<typeof CampaignView>[] {
  const rows = [
    ...book.open.map((open) => ({ ...open, policyVersion: open.policy.version, status: 'open' as const })),
    ...book.closed.map((closed) => ({ ...closed, status: 'closed' as const })),
  ];
  return rows
    .toSorted((a, b) => b.startedAtMs - a.startedAtMs)
    .map(({ campaignId, status, reason, samplesTotal, startedAtMs, policyVersion }) => ({
      campaignId,
      status,
      reason,
      accepted: accepted[campaignId] ?? 0,
      samplesTotal,
      startedAt: isoOf(startedAtMs),
      policyVersion,
    }));
}

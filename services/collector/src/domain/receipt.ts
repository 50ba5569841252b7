import { BASE_CAMPAIGN } from '@edgeloop/contracts';
import { openCampaign, type CampaignBook } from './campaign.ts';
import { isFinal, needsUpload } from './manifest-claims.ts';

/** What the ledger knows of a sample. */
export type LedgerReceipt =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'quarantined'; readonly cause: string; readonly reason: string }
  | { readonly kind: 'unknown' };

/** What a node says of a sample that it cannot upload (again), because its campaign has closed. */
export interface ClosedClaim {
  readonly campaignId: string;
  /** Its manifest was published. */
  readonly announced: boolean;
}

/** What the node is told: all but `unknown` let it forget the sample. */
export type Receipt = Exclude<LedgerReceipt, { kind: 'unknown' }> | { readonly kind: 'declined' } | { readonly kind: 'unknown' };

/**
 * Declined is what cannot come in any more: its campaign takes no uploads, and it was never announced, or it was and its object is not there.
 * A manifest that was announced and not looked at yet may still bring it in, so nothing is said before.
 */
export function decideReceipt(known: LedgerReceipt, claim: ClosedClaim | undefined, book: CampaignBook): Receipt {
  const isOver = claim !== undefined && isClosed(book, claim.campaignId);
  switch (known.kind) {
    case 'accepted':
      return known;
    case 'quarantined':
      if (isFinal(known.cause)) return known;
      return { kind: isOver && needsUpload(known.cause) ? 'declined' : 'unknown' };
    case 'unknown':
      return { kind: isOver && !claim.announced ? 'declined' : 'unknown' };
    default:
      return known satisfies never;
  }
}

/** The base campaign never closes; a book without it has only just begun. */
function isClosed(book: CampaignBook, campaignId: string): boolean {
  return campaignId !== BASE_CAMPAIGN && openCampaign(book, campaignId) === undefined;
}

import type { Cause } from '@edgeloop/bus';
import type { SampleManifest } from '@edgeloop/contracts';
import type { BookInput } from './domain/campaign-book.ts';
import type { CampaignBook } from './domain/campaign.ts';
import type { AcceptedCounts } from './domain/grant-decision.ts';
import type { Rejection } from './domain/manifest-claims.ts';
import type { LedgerReceipt } from './domain/receipt.ts';

/** The one aggregate of the collector, and what its changes announce. */
export interface Campaigns {
  current(): Promise<CampaignBook>;
  /** Decides on the newest book, saves, announces. Returns the book as it is afterwards. */
  turn(input: BookInput, cause?: Cause): Promise<CampaignBook>;
}

/** The once-only record of every sample. */
export interface SampleLedger {
  /** False when the ledger had it already. */
  accept(nodeId: string, manifest: SampleManifest, cause: Cause): Promise<boolean>;
  /** A second quarantine of the same sample changes nothing. */
  quarantine(nodeId: string, manifest: SampleManifest, why: { rejection: Rejection; cause: Cause }): Promise<void>;
  receiptOf(nodeId: string, sampleId: string): Promise<LedgerReceipt>;
}

export interface LedgerEntry {
  readonly nodeId: string;
  readonly manifest: SampleManifest;
  readonly acceptedAt: string;
}

/** Counts derived from the ledger: they cannot drift from it, whatever was delivered how often. */
export interface LedgerCounts {
  /** Reads on to the end of the ledger as it is now. */
  catchUp(): Promise<void>;
  perCampaign(): Readonly<Record<string, number>>;
  /** By `<campaignId>/<nodeId>`. */
  perNode(): ReadonlyMap<string, number>;
  of(campaignId: string, nodeId: string): AcceptedCounts;
  total(): number;
  /** Newest first. */
  newest(limit: number): readonly LedgerEntry[];
  /** Samples that were refused and not accepted later. */
  quarantined(): Promise<number>;
}

export type Decoded =
  { readonly ok: true; readonly width: number; readonly height: number } | { readonly ok: false; readonly reason: string };

export interface PictureDecoder {
  /** Decodes every pixel. @throws DecoderFailedError (retryable) when the decoder died or hung, which says little about the picture */
  decode(bytes: Uint8Array): Promise<Decoded>;
  close(): Promise<void>;
}

/** How many deliveries came more than once; a fault run in which this stays at zero did not test anything. */
export interface RedeliveryTally {
  add(): void;
  total(): Promise<number>;
}

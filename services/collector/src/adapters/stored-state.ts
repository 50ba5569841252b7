import { NodeSelection, SamplingPolicy } from '@edgeloop/contracts';
import { z } from 'zod';
import type { CampaignBook } from '../domain/campaign.ts';

const milliseconds = z.int().nonnegative();

const OpenCampaign = z.object({
  campaignId: z.string(),
  cause: z.string(),
  reason: z.string(),
  policy: SamplingPolicy,
  nodes: NodeSelection,
  samplesTotal: z.int().positive().nullable(),
  startedAtMs: milliseconds,
  deadlineMs: milliseconds.nullable(),
});

const ClosedCampaign = z.object({
  campaignId: z.string(),
  cause: z.string(),
  reason: z.string(),
  policyVersion: z.int().positive(),
  samplesTotal: z.int().positive().nullable(),
  startedAtMs: milliseconds,
  closedAtMs: milliseconds,
  outcome: z.enum(['full', 'deadline', 'by-hand']),
  accepted: z.int().nonnegative(),
});

const NodeDrift = z.object({
  driftedAtMs: milliseconds.nullable(),
  settledAtMs: milliseconds.nullable(),
  served: z.boolean(),
  /** Absent in books of before it was noted: what such a book says was served stays so. */
  joined: z.object({ campaignId: z.string(), accepted: z.int().nonnegative() }).nullable().default(null),
  tries: z.int().nonnegative().default(0),
  measures: z.string(),
});

const StoredBook = z.object({
  kind: z.literal('book'),
  lastPolicyVersion: z.int().nonnegative(),
  open: z.array(OpenCampaign),
  closed: z.array(ClosedCampaign),
  drifts: z.record(z.string(), NodeDrift),
});

const StoredTally = z.object({ kind: z.literal('tally'), redelivered: z.int().nonnegative() });

/** The documents of the `campaigns` bucket. */
export const CollectorState = z.discriminatedUnion('kind', [StoredBook, StoredTally]);

export type StoredState = ({ readonly kind: 'book' } & CampaignBook) | { readonly kind: 'tally'; readonly redelivered: number };
export const BOOK_KEY = 'book';
export const TALLY_KEY = 'tally';

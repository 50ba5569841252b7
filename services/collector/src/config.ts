import { SamplingPolicy } from '@edgeloop/contracts';
import { BusConfig, StoreConfig, StsConfig, jsonVariable } from '@edgeloop/runtime';
import { z } from 'zod';
import type { DriftPlan } from './domain/campaign-book.ts';

const PolicyDraft = SamplingPolicy.omit({ version: true });

/** Kept when nothing else is asked for: a thin random slice for an honest picture of the field, and some of what the model is unsure of. */
const BASE_POLICY: z.input<typeof PolicyDraft> = {
  policyId: 'base',
  rules: [
    { kind: 'uncertain', name: 'uncertain', probability: 0.05, perMinuteMax: 2, low: 0.25, high: 0.5 },
    { kind: 'random', name: 'random', probability: 0.002, perMinuteMax: 1 },
  ],
  nearDuplicateBits: 6,
  samplesMax: null,
};

/** Kept while a node is away from its baseline: much, of every kind, and little of it twice. */
const DRIFT_POLICY: z.input<typeof PolicyDraft> = {
  policyId: 'drift',
  rules: [
    { kind: 'dark', name: 'dark', probability: 1, perMinuteMax: 60, brightnessBelow: 0.3 },
    { kind: 'uncertain', name: 'uncertain', probability: 0.8, perMinuteMax: 60, low: 0.1, high: 0.6 },
    { kind: 'empty', name: 'empty', probability: 0.5, perMinuteMax: 30 },
    { kind: 'random', name: 'random', probability: 0.5, perMinuteMax: 30 },
  ],
  nearDuplicateBits: 4,
  samplesMax: null,
};

const MINUTE_MS = 60_000;

const DriftCampaign = z.object({
  samplesTotal: z.int().positive().max(1_000_000).default(120),
  /** The campaign closes then, full or not. */
  deadlineMs: z
    .int()
    .positive()
    .default(60 * MINUTE_MS),
  /** Time after a drift campaign in which no other begins. */
  cooldownMs: z
    .int()
    .nonnegative()
    .default(10 * MINUTE_MS),
  rules: SamplingPolicy.shape.rules.default(DRIFT_POLICY.rules),
  nearDuplicateBits: SamplingPolicy.shape.nearDuplicateBits.default(DRIFT_POLICY.nearDuplicateBits),
  /** Samples that one node may keep; null leaves it to the total. */
  samplesPerNodeMax: z.int().positive().nullable().default(null),
});
export type DriftCampaign = z.output<typeof DriftCampaign>;

export const CollectorConfig = z.object({
  ...BusConfig.shape,
  ...StoreConfig.shape,
  ...StsConfig.shape,
  /** Where nodes reach the store, if not at S3_ENDPOINT. */
  S3_NODES_ENDPOINT: z.url().optional(),
  COLLECTOR_CAMPAIGN: jsonVariable(DriftCampaign),
  COLLECTOR_BASE_POLICY: jsonVariable(PolicyDraft, JSON.stringify(BASE_POLICY)),
  COLLECTOR_OBJECT_BYTES_MAX: z.coerce
    .number()
    .int()
    .positive()
    .default(16 * 1024 * 1024),
  COLLECTOR_PIXELS_MAX: z.coerce.number().int().positive().default(40_000_000),
  COLLECTOR_DECODE_MS_MAX: z.coerce.number().int().positive().default(15_000),
  COLLECTOR_TICK_MS: z.coerce.number().int().positive().default(1_000),
  COLLECTOR_RECONCILE_MS: z.coerce
    .number()
    .int()
    .positive()
    .default(5 * MINUTE_MS),
});
export type CollectorConfig = z.output<typeof CollectorConfig>;

export function driftPlanOf(campaign: DriftCampaign): DriftPlan {
  const { rules, nearDuplicateBits, samplesPerNodeMax, samplesTotal, deadlineMs, cooldownMs } = campaign;
  const policy = { policyId: DRIFT_POLICY.policyId, rules, nearDuplicateBits, samplesMax: samplesPerNodeMax };
  return { policy, samplesTotal, lastsMs: deadlineMs, cooldownMs };
}

import { z } from 'zod';
import { Score } from './values.ts';

const limits = {
  name: z.string().min(1).max(64),
  /** Chance that a matching frame is kept: becomes the inclusion probability. */
  probability: z.number().gt(0).max(1),
  perMinuteMax: z.int().positive().max(600),
};

/** Rules are tried in order; the first that matches and is within its limit decides. */
export const SamplingRule = z.discriminatedUnion('kind', [
  /** A raw candidate (before NMS) scores within [low, high]. */
  z.object({ kind: z.literal('uncertain'), ...limits, low: Score, high: Score }),
  /** No detection at or above the alarm threshold. */
  z.object({ kind: z.literal('empty'), ...limits }),
  /** Mean brightness below the bound. */
  z.object({ kind: z.literal('dark'), ...limits, brightnessBelow: Score }),
  /** Any frame. */
  z.object({ kind: z.literal('random'), ...limits }),
]);
export type SamplingRule = z.output<typeof SamplingRule>;

/** Rules that every frame is held against, so few. */
export const RULES_MAX = 20;

export const SamplingPolicy = z.object({
  policyId: z.string().min(1).max(64),
  version: z.int().positive(),
  rules: z.array(SamplingRule).max(RULES_MAX),
  /** A frame nearer than this many bits (of 64) to one kept before is dropped; 0 keeps all. */
  nearDuplicateBits: z.int().min(0).max(32),
  /** Samples this node may keep for the campaign, under whatever version of its policy; null is unbounded (the spool's budget still holds). */
  samplesMax: z.int().positive().nullable(),
});
export type SamplingPolicy = z.output<typeof SamplingPolicy>;

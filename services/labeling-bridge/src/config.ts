import { BusConfig, StoreConfig, jsonVariable } from '@edgeloop/runtime';
import { z } from 'zod';
import type { SplitRules } from './domain/split.ts';

const MINUTE_MS = 60_000;

function count(fallback: number): z.ZodType<number> {
  return z.coerce.number().int().nonnegative().default(fallback);
}

const share = z.number().min(0).max(1);
const bits = z.int().min(0).max(32);

/** How pictures are parted into what is learnt from and what is judged on. */
const Split = z.object({
  nearDuplicateBits: bits.default(3),
  neighbourMs: z.int().nonnegative().default(1_500),
  neighbourBits: bits.default(5),
  holdoutShare: share.default(0.25),
  /** Off: the incumbent may have learnt from every imported picture, so none can judge it. */
  importedHoldout: z.boolean().default(false),
  importedHoldoutShare: share.default(0.1),
  trainEnough: z.int().positive().default(200),
  holdoutWanted: z.int().nonnegative().default(40),
  /** Mean luma. Night made from photos (brightness x .28) reaches .235 in one of 60; one day photo in 25 is darker than this. */
  nightBelow: share.default(0.22),
});
type Split = z.output<typeof Split>;

const ClassNames = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  );

export const LabelingConfig = z.object({
  ...BusConfig.shape,
  ...StoreConfig.shape,
  LABELING_HTTP_HOST: z.string().default('127.0.0.1'),
  /** 0 takes a free port; the address is in the log and in the answer to `ask.labeling-datasets`. */
  LABELING_HTTP_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  LABELING_API_TOKEN: z.string().min(8, 'use at least 8 characters').optional(),
  LABELING_CLASSES: ClassNames,
  LABELING_CLAIM_MS: count(10 * MINUTE_MS),
  LABELING_SNAPSHOT_LABELS: count(100),
  LABELING_SNAPSHOT_LABELS_MIN: count(20),
  LABELING_PATIENCE_MS: count(10 * MINUTE_MS),
  LABELING_TICK_MS: count(1_000),
  LABELING_SPLIT: jsonVariable(Split),
});
export type LabelingConfig = z.output<typeof LabelingConfig>;

export function splitRulesOf({ importedHoldout, importedHoldoutShare, nightBelow: _brightness, ...rules }: Split): SplitRules {
  return { ...rules, importedHoldoutShare: importedHoldout ? importedHoldoutShare : 0 };
}

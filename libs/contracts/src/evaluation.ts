import { z } from 'zod';
import { Score } from './values.ts';

const ClassScore = z.object({
  /** Average precision at IoU 0.5; null where the class has no truth. */ ap50: Score.nullable(),
  truths: z.int().nonnegative(),
  detections: z.int().nonnegative(),
});

/** mAP50 by all-point interpolation, mean over classes with truth; null where the slice has no truth. */
export const SliceScore = z.object({
  map50: Score.nullable(),
  perClass: z.record(z.string(), ClassScore),
  frames: z.int().nonnegative(),
  boxes: z.int().nonnegative(),
});
export type SliceScore = z.output<typeof SliceScore>;

export const ModelScore = z.object({ overall: SliceScore, slices: z.record(z.string(), SliceScore) });
export type ModelScore = z.output<typeof ModelScore>;

/** `evaluation.json` of an evaluate step. */
export const Evaluation = z.object({ candidate: ModelScore, incumbent: ModelScore.nullable() });
export type Evaluation = z.output<typeof Evaluation>;

export const GateVerdict = z.object({
  verdict: z.enum(['passed', 'refused']),
  /** One sentence with numbers for each slice and for the whole. */
  reasons: z.array(z.string()).min(1),
  evaluation: Evaluation.nullable(),
});
export type GateVerdict = z.output<typeof GateVerdict>;

import { z } from 'zod';
import type { NodeField } from '../domain/node-field.ts';
import { MEASURES } from '../domain/measures.ts';

const Measure = z.enum(MEASURES as [(typeof MEASURES)[number], ...(typeof MEASURES)[number][]]);
const Count = z.int().nonnegative();
const Running = z.object({ count: Count, mean: z.number(), squares: z.number() });
const Values = z.partialRecord(Measure, z.number());

/** `NodeField` as it is kept, one document a node. */
export const FieldDocument = z.object({
  nodeId: z.string(),
  epoch: z.string().nullable(),
  sequence: z.int(),
  pastEpochs: z.array(z.string()),
  releaseId: z.string().nullable(),
  baselines: z.array(z.object({ releaseId: z.string(), windows: Count, measures: z.partialRecord(Measure, Running) })),
  recent: z.array(Values),
  outside: Count,
  inside: Count,
  drifted: z.boolean(),
  totals: z.object({ windows: Count, frames: Count }),
  releases: z
    .array(z.object({ releaseId: z.string(), windows: Count, frames: Count, emptyFrames: Count, detections: Count }))
    // Documents written before there were totals by release.
    .default([]),
  last: z.object({ at: z.string(), framesPerSecond: z.number(), measures: Values }).nullable(),
}) satisfies z.ZodType<NodeField>;

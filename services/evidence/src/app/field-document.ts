import { z } from 'zod';
import type { NodeField } from '../domain/node-field.ts';
import { MEASURES } from '../domain/measures.ts';

const Measure = z.enum(MEASURES as [(typeof MEASURES)[number], ...(typeof MEASURES)[number][]]);
const Running = z.object({ count: z.int().nonnegative(), mean: z.number(), squares: z.number() });
const Values = z.partialRecord(Measure, z.number());

/** `NodeField` as it is kept, one document a node. */
export const FieldDocument = z.object({
  nodeId: z.string(),
  epoch: z.string().nullable(),
  sequence: z.int(),
  pastEpochs: z.array(z.string()),
  releaseId: z.string().nullable(),
  baselines: z.array(z.object({ releaseId: z.string(), windows: z.int().nonnegative(), measures: z.partialRecord(Measure, Running) })),
  recent: z.array(Values),
  outside: z.int().nonnegative(),
  inside: z.int().nonnegative(),
  drifted: z.boolean(),
  totals: z.object({ windows: z.int().nonnegative(), frames: z.int().nonnegative() }),
  last: z.object({ at: z.string(), framesPerSecond: z.number(), measures: Values }).nullable(),
}) satisfies z.ZodType<NodeField>;

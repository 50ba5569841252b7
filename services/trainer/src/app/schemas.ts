import { GateVerdict, Incumbent, ModelCard, ObjectRef, RunTrigger } from '@edgeloop/contracts';
import { z } from 'zod';
import type { ModelLine } from '../domain/model-line.ts';
import type { Run } from '../domain/run.ts';

const count = z.int().nonnegative();
const parameter = z.union([z.string(), z.number(), z.boolean()]);
const metadata = z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()]));

export const StoredRun: z.ZodType<Run> = z.object({
  runId: z.string(),
  pipeline: z.string(),
  correlationId: z.string(),
  trigger: RunTrigger,
  newLabels: count,
  dataset: z.object({ datasetId: z.string(), manifest: ObjectRef }).nullable(),
  incumbent: Incumbent.nullable(),
  model: z.object({ name: z.string(), version: z.string() }),
  imported: z.object({ model: ObjectRef, card: ModelCard, goldenPictures: z.array(ObjectRef) }).nullable(),
  status: z.enum(['running', 'completed', 'refused', 'failed', 'cancelled', 'timed-out']),
  current: z.object({ node: z.string(), attempt: count, underWay: z.boolean().default(true), crashes: count.default(0) }).nullable(),
  finished: z.array(
    z.object({
      node: z.string(),
      step: z.string(),
      parameters: z.record(z.string(), z.union([parameter, z.array(parameter)])).default({}),
      inputs: z.array(z.object({ input: z.string(), name: z.string(), object: ObjectRef })).default([]),
      outputs: z.array(z.object({ name: z.string(), object: ObjectRef })),
      metadata,
      seconds: z.number(),
    }),
  ),
  gate: GateVerdict.nullable(),
  cancelAsked: z.boolean(),
  startedAt: z.number(),
  deadlineAt: z.number(),
  endedAt: z.number().nullable(),
  reason: z.string().nullable(),
  lease: z.object({ owner: z.string(), until: z.number() }).nullable(),
});

export const StoredModelLine: z.ZodType<ModelLine> = z.object({
  trigger: z.object({
    pendingLabels: count,
    pendingPerClass: z.record(z.string(), count),
    decisions: z.array(
      z.object({ datasetId: z.string(), starts: z.boolean(), kind: z.enum(['new-labels', 'class-labels', 'manual']), reason: z.string() }),
    ),
  }),
  versions: z.array(z.object({ runId: z.string(), number: count })),
  releases: z.array(Incumbent),
  incumbent: Incumbent.nullable(),
  datasets: z.array(z.object({ datasetId: z.string(), manifest: ObjectRef, newLabels: count })),
});

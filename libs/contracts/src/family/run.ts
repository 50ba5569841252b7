import { z } from 'zod';
import { event } from '../contract.ts';
import { GateVerdict } from '../evaluation.ts';
import { ModelCard, ModelName, ModelVersion } from '../package-manifest.ts';
import { DatasetId, Digest, ObjectRef, ReleaseId, RunId, Timestamp } from '../values.ts';
import { loop } from './loop-stream.ts';

export const RunTrigger = z.object({
  kind: z.enum(['new-labels', 'class-labels', 'manual', 'import']),
  /** One sentence with the numbers that fired it. */
  reason: z.string().max(500),
});
export type RunTrigger = z.output<typeof RunTrigger>;

/** The release a candidate must beat. */
export const Incumbent = z.object({ releaseId: ReleaseId, version: ModelVersion, model: ObjectRef });
export type Incumbent = z.output<typeof Incumbent>;

const run = { runId: RunId };

export const RunStarted = event({
  ...loop,
  type: 'run.started',
  subject: 'run.v1.{runId}.started',
  says: 'A pipeline run began, and why.',
  payload: z.object({
    ...run,
    pipeline: z.string(),
    trigger: RunTrigger,
    datasetId: DatasetId.nullable(),
    newLabels: z.int().nonnegative(),
    incumbent: Incumbent.nullable(),
    model: z.object({ name: ModelName, version: ModelVersion }),
  }),
});
export const RunStepStarted = event({
  ...loop,
  type: 'run.step-started',
  subject: 'run.v1.{runId}.step-started',
  says: 'A step of the run began, or began again.',
  payload: z.object({ ...run, step: z.string(), attempt: z.int().positive() }),
});
export const RunProgressed = event({
  ...loop,
  type: 'run.progressed',
  subject: 'run.v1.{runId}.progressed',
  says: 'The step printed metadata (a JSON line); thinned to a slow clock.',
  payload: z.object({
    ...run,
    step: z.string(),
    at: Timestamp,
    metadata: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
  }),
});
export const RunJudged = event({
  ...loop,
  type: 'run.judged',
  subject: 'run.v1.{runId}.judged',
  says: 'The offline gate compared candidate and incumbent.',
  payload: z.object({ ...run, gate: GateVerdict }),
});
export const RunCompleted = event({
  ...loop,
  type: 'run.completed',
  subject: 'run.v1.{runId}.completed',
  says: 'The run made a model that passed its gate; package it.',
  payload: z.object({
    ...run,
    model: ObjectRef,
    card: ModelCard,
    datasetId: DatasetId.nullable(),
    datasetDigest: Digest.nullable(),
    gate: GateVerdict.nullable(),
    trainSeconds: z.number().nonnegative(),
    /** Pictures the packager may use for golden vectors. */
    goldenPictures: z.array(ObjectRef).min(1).max(16),
  }),
});
export const RunEnded = event({
  ...loop,
  type: 'run.ended',
  subject: 'run.v1.{runId}.ended',
  says: 'The run ended without a model to package: refused by the gate, failed, cancelled or timed out.',
  payload: z.object({
    ...run,
    outcome: z.enum(['refused', 'failed', 'cancelled', 'timed-out']),
    step: z.string().nullable(),
    reason: z.string().max(2000),
  }),
});

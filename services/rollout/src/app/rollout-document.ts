import { NodeSelection, RolloutRelease, RolloutStrategy } from '@edgeloop/contracts';
import { z } from 'zod';
import type { Deployment, Progress, Rollout, Status } from '../domain/rollout.ts';

const ms = z.number();
const outcome = z.enum(['completed', 'rolled-back', 'aborted', 'superseded']);

const ProgressDocument: z.ZodType<Progress> = z.discriminatedUnion('at', [
  z.object({ at: z.literal('planned') }),
  z.object({ at: z.literal('offered'), offeredAt: ms }),
  z.object({
    at: z.literal('running'),
    offeredAt: ms,
    seenAt: ms,
    healthySince: ms.nullable(),
    falteredAt: ms.nullable(),
    proved: z.boolean(),
  }),
  z.object({ at: z.literal('failed'), offeredAt: ms, failedAt: ms, reason: z.string() }),
]);

const DeploymentDocument: z.ZodType<Deployment> = z.object({
  previous: z.string().nullable(),
  exposed: z.boolean(),
  baseline: z.object({ windows: z.number(), frames: z.number(), detections: z.number() }).nullable(),
  progress: ProgressDocument,
});

const StatusDocument: z.ZodType<Status> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('starting') }),
  z.object({ kind: z.literal('running') }),
  z.object({ kind: z.literal('paused'), by: z.string(), at: ms }),
  z.object({
    kind: z.literal('halting'),
    outcome: z.enum(['rolled-back', 'aborted']),
    at: ms,
    reason: z.string(),
    pending: z.array(z.string()),
  }),
  z.object({ kind: z.literal('ended'), outcome, at: ms, reason: z.string(), supersededBy: z.string().nullable() }),
]);

/** What lies in the bucket `rollouts`, one key a rollout. */
export const RolloutDocument: z.ZodType<Rollout> = z.object({
  rolloutId: z.string(),
  release: RolloutRelease,
  selection: NodeSelection,
  strategy: RolloutStrategy,
  reason: z.string(),
  origin: z.object({ id: z.string(), correlationId: z.string(), traceparent: z.string().optional() }).nullable(),
  startedAt: ms,
  status: StatusDocument,
  wave: z.int().nonnegative(),
  waves: z.array(z.array(z.string())),
  nodes: z.record(z.string(), DeploymentDocument),
  releases: z.record(z.string(), RolloutRelease),
  step: z.int().nonnegative(),
});

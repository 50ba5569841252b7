import { Desired, DeploymentOutcome, DeploymentPhase } from '@edgeloop/contracts';
import { z } from 'zod';
import type { FailureReason } from '../domain/failure.ts';
import type { NodeState } from '../domain/node-state.ts';
import { FLOW } from '../domain/step.ts';

const DesiredRelease = Desired.shape.release.unwrap();
const Installed = z.object({ release: DesiredRelease, generation: z.int().nonnegative() });
const Reason = z.string().transform((reason) => reason as FailureReason);
const count = z.int().nonnegative();

const Deployment = z.object({
  release: DesiredRelease,
  generation: count,
  step: z.enum([...FLOW, 'roll-back']),
  attempts: count,
  waits: count,
  trialStarts: count,
  stepStarts: count,
  switched: z.boolean(),
  failure: z.object({ reason: Reason, detail: z.string(), severity: z.enum(['wait', 'retry', 'final']) }).nullable(),
  reportedPhase: DeploymentPhase.nullable(),
});

const PendingReport = z.object({
  sequence: count,
  atMs: z.number(),
  generation: count,
  rolloutId: z.string().nullable(),
  releaseId: z.string(),
  phase: DeploymentPhase,
  outcome: DeploymentOutcome.nullable(),
  reason: Reason.nullable(),
  detail: z.string().nullable(),
});

/** `NodeState` as it lies on the disk. A field that is added later needs a default: an agent must read what an older one wrote. */
export const StoredNodeState: z.ZodType<NodeState> = z.object({
  epoch: z.string().min(8),
  desired: Desired.nullable(),
  proven: Installed.nullable(),
  previous: Installed.nullable(),
  deployment: Deployment.nullable(),
  bad: z.object({ generation: count, packageDigest: z.string(), reason: Reason }).nullable(),
  announced: z.object({ packageDigest: z.string(), rolloutId: z.string().nullable() }).nullable(),
  reportSequence: count,
  outbox: z.array(PendingReport),
  clockFloorMs: z.number(),
});

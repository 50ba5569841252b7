import { z } from 'zod';
import { event } from '../contract.ts';
import { NodeSelection, RolloutStrategy } from '../rollout-strategy.ts';
import { NodeId, ReleaseId, RolloutId } from '../values.ts';
import { RolloutRelease } from './release.ts';
import { loop } from './loop-stream.ts';

const rollout = { rolloutId: RolloutId };
/** Keeps one event far below the size that the bus carries; larger waves are assigned in several. */
export const NODES_PER_ASSIGNMENT_MAX = 1000;

export const RolloutStarted = event({
  ...loop,
  type: 'rollout.started',
  subject: 'rollout.v1.{rolloutId}.started',
  says: 'A release begins its way through the fleet.',
  payload: z.object({
    ...rollout,
    release: RolloutRelease,
    selection: NodeSelection,
    strategy: RolloutStrategy,
    waves: z.array(z.int().nonnegative()),
    reason: z.string().max(500),
  }),
});
export const RolloutWaveStarted = event({
  ...loop,
  type: 'rollout.wave-started',
  subject: 'rollout.v1.{rolloutId}.wave-started',
  says: 'These nodes are offered the release.',
  payload: z.object({ ...rollout, wave: z.int().nonnegative(), nodeIds: z.array(NodeId) }),
});
/** The only event that changes what a node should run. */
export const RolloutAssigned = event({
  ...loop,
  type: 'rollout.assigned',
  subject: 'rollout.v1.{rolloutId}.assigned',
  says: 'The fleet service must set these nodes to this release (an offer, or the way back).',
  payload: z.object({
    ...rollout,
    assignmentId: z.string(),
    kind: z.enum(['offer', 'rollback']),
    release: RolloutRelease.nullable(),
    nodeIds: z.array(NodeId).min(1).max(NODES_PER_ASSIGNMENT_MAX),
  }),
});
export const RolloutWaveCompleted = event({
  ...loop,
  type: 'rollout.wave-completed',
  subject: 'rollout.v1.{rolloutId}.wave-completed',
  says: 'The wave was seen running the new weights, healthy for the soak time.',
  payload: z.object({ ...rollout, wave: z.int().nonnegative(), running: z.int().nonnegative(), failed: z.int().nonnegative() }),
});
export const RolloutHalted = event({
  ...loop,
  type: 'rollout.halted',
  subject: 'rollout.v1.{rolloutId}.halted',
  says: 'Failures passed the abort rule; the wave goes back to the last proven release.',
  payload: z.object({
    ...rollout,
    wave: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    offered: z.int().nonnegative(),
    reason: z.string().max(1000),
    failures: z.array(z.object({ nodeId: NodeId, reason: z.string() })).max(100),
  }),
});
export const RolloutPaused = event({
  ...loop,
  type: 'rollout.paused',
  subject: 'rollout.v1.{rolloutId}.paused',
  says: 'No further node is offered the release until it is resumed.',
  payload: z.object({ ...rollout, by: z.string() }),
});
export const RolloutResumed = event({
  ...loop,
  type: 'rollout.resumed',
  subject: 'rollout.v1.{rolloutId}.resumed',
  says: 'The rollout goes on.',
  payload: z.object({ ...rollout, by: z.string() }),
});
export const RolloutEnded = event({
  ...loop,
  type: 'rollout.ended',
  subject: 'rollout.v1.{rolloutId}.ended',
  says: 'Terminal: completed, rolled back, aborted or superseded.',
  payload: z.object({
    ...rollout,
    releaseId: ReleaseId,
    outcome: z.enum(['completed', 'rolled-back', 'aborted', 'superseded']),
    running: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    reason: z.string().max(1000),
  }),
});

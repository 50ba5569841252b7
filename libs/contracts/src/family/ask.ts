import { z } from 'zod';
import { request } from '../contract.ts';
import { ModelCard } from '../package-manifest.ts';
import { NodeSelection, RolloutStrategy } from '../rollout-strategy.ts';

import { CampaignId, ChannelName, DatasetId, InviteId, NodeId, ObjectRef, ReleaseId, RolloutId, RunId, Timestamp } from '../values.ts';
import { DeploymentPhase, RunningModel } from './node.ts';

export const ask = { v: 1 } as const;
export const limit = z.int().positive().max(1000).default(100);

export const NodeView = z.object({
  nodeId: NodeId,
  attributes: z.record(z.string(), z.string()),
  enrolledAt: Timestamp,
  desired: z.object({ generation: z.int().nonnegative(), releaseId: ReleaseId.nullable(), campaignId: CampaignId }),
  reported: z.object({
    releaseId: ReleaseId.nullable(),
    generation: z.int().nonnegative(),
    outcome: z.string().nullable(),
    reason: z.string().nullable(),
  }),
  running: RunningModel.nullable(),
  phase: DeploymentPhase,
  framesTotal: z.int().nonnegative(),
  framesPerSecond: z.number().nonnegative(),
  lastSeen: Timestamp.nullable(),
  connected: z.boolean(),
});
export type NodeView = z.output<typeof NodeView>;

export const AskNodes = request({
  ...ask,
  type: 'ask.fleet-nodes',
  subject: 'ask.v1.fleet.nodes',
  says: 'The nodes: desired, reported, running.',
  payload: z.object({ nodeIds: z.array(NodeId).optional() }),
  reply: z.object({ nodes: z.array(NodeView) }),
});
export const AskInvite = request({
  ...ask,
  type: 'ask.fleet-invite',
  subject: 'ask.v1.fleet.invite',
  says: 'Makes a one-time join token.',
  payload: z.object({
    validForMs: z
      .int()
      .positive()
      .max(30 * 86_400_000)
      .default(3_600_000),
    nodeId: NodeId.optional(),
  }),
  reply: z.object({
    inviteId: InviteId,
    /** Hand this to the node: base64url JSON of {url, creds, inviteId, secret}. */ joinToken: z.string(),
    expiresAt: Timestamp,
  }),
});

export const RunView = z.object({
  runId: RunId,
  pipeline: z.string(),
  status: z.enum(['running', 'completed', 'refused', 'failed', 'cancelled', 'timed-out']),
  step: z.string().nullable(),
  trigger: z.string(),
  datasetId: DatasetId.nullable(),
  startedAt: Timestamp,
  endedAt: Timestamp.nullable(),
  version: z.string(),
  reason: z.string().nullable(),
});
export const AskRuns = request({
  ...ask,
  type: 'ask.trainer-runs',
  subject: 'ask.v1.trainer.runs',
  says: 'Runs, newest first.',
  payload: z.object({ limit }),
  reply: z.object({ runs: z.array(RunView) }),
});
export const AskStartRun = request({
  ...ask,
  type: 'ask.trainer-start',
  subject: 'ask.v1.trainer.start',
  says: 'Starts a run by hand: on a dataset, or to import a model that exists.',
  payload: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('train'), datasetId: DatasetId.optional(), reason: z.string().max(500) }),
    z.object({
      kind: z.literal('import'),
      model: ObjectRef,
      card: ModelCard.omit({ version: true }),
      goldenPictures: z.array(ObjectRef).min(1).max(16),
      reason: z.string().max(500),
    }),
  ]),
  reply: z.object({ runId: RunId }),
});
export const AskCancelRun = request({
  ...ask,
  type: 'ask.trainer-cancel',
  subject: 'ask.v1.trainer.cancel',
  says: 'Stops a run.',
  payload: z.object({ runId: RunId }),
  reply: z.object({ cancelled: z.boolean() }),
});

export const ReleaseView = z.object({
  releaseId: ReleaseId,
  name: z.string(),
  version: z.string(),
  packageDigest: z.string(),
  modelDigest: z.string(),
  packageBytes: z.int(),
  publishedAt: Timestamp,
  runId: RunId,
  channels: z.array(ChannelName),
});
export const AskReleases = request({
  ...ask,
  type: 'ask.publisher-releases',
  subject: 'ask.v1.publisher.releases',
  says: 'Releases, newest first.',
  payload: z.object({ limit }),
  reply: z.object({ releases: z.array(ReleaseView) }),
});

export const RolloutView = z.object({
  rolloutId: RolloutId,
  releaseId: ReleaseId,
  status: z.enum(['running', 'paused', 'halting', 'completed', 'rolled-back', 'aborted', 'superseded']),
  wave: z.int().nonnegative(),
  waves: z.array(
    z.object({ nodeIds: z.array(NodeId), running: z.int().nonnegative(), failed: z.int().nonnegative(), pending: z.int().nonnegative() }),
  ),
  startedAt: Timestamp,
  endedAt: Timestamp.nullable(),
  reason: z.string(),
});
export type RolloutView = z.output<typeof RolloutView>;
export const AskRollouts = request({
  ...ask,
  type: 'ask.rollout-list',
  subject: 'ask.v1.rollout.list',
  says: 'Rollouts, newest first.',
  payload: z.object({ limit }),
  reply: z.object({ rollouts: z.array(RolloutView) }),
});
export const AskStartRollout = request({
  ...ask,
  type: 'ask.rollout-start',
  subject: 'ask.v1.rollout.start',
  says: 'Rolls a release out; without a strategy by the configured default.',
  payload: z.object({
    releaseId: ReleaseId,
    selection: NodeSelection.default({ all: true }),
    strategy: RolloutStrategy.optional(),
    reason: z.string().max(500),
  }),
  reply: z.object({ rolloutId: RolloutId }),
});
export const AskRolloutCommand = request({
  ...ask,
  type: 'ask.rollout-command',
  subject: 'ask.v1.rollout.command',
  says: 'Pauses, resumes or aborts (and brings back) a rollout.',
  payload: z.object({ rolloutId: RolloutId, command: z.enum(['pause', 'resume', 'abort']), by: z.string().max(100) }),
  reply: z.object({ rollout: RolloutView }),
});

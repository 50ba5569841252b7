import { z } from 'zod';
import { request } from '../contract.ts';
import { ModelCard } from '../package-manifest.ts';
import { NodeSelection, RolloutStrategy } from '../rollout-strategy.ts';
import { SamplingPolicy } from '../sampling-policy.ts';
import {
  CampaignId,
  ChannelName,
  DatasetId,
  InviteId,
  LabelBox,
  NodeId,
  ObjectRef,
  ReleaseId,
  RolloutId,
  RunId,
  Timestamp,
} from '../values.ts';
import { DeploymentPhase, RunningModel } from './node.ts';

const ask = { v: 1 } as const;
const limit = z.int().positive().max(1000).default(100);

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

export const SampleView = z.object({
  nodeId: NodeId,
  sampleId: z.string(),
  campaignId: CampaignId,
  rule: z.string(),
  acceptedAt: Timestamp,
  releaseId: ReleaseId.nullable(),
  brightness: z.number(),
  bytes: z.int(),
});
export const AskSamples = request({
  ...ask,
  type: 'ask.collector-samples',
  subject: 'ask.v1.collector.samples',
  says: 'Accepted samples, newest first, and totals.',
  payload: z.object({ limit }),
  reply: z.object({ samples: z.array(SampleView), accepted: z.int(), quarantined: z.int(), redelivered: z.int() }),
});
export const CampaignView = z.object({
  campaignId: CampaignId,
  status: z.enum(['open', 'closed']),
  reason: z.string(),
  accepted: z.int(),
  samplesTotal: z.int().nullable(),
  startedAt: Timestamp,
  policyVersion: z.int(),
});
export const AskCampaigns = request({
  ...ask,
  type: 'ask.collector-campaigns',
  subject: 'ask.v1.collector.campaigns',
  says: 'Campaigns, newest first.',
  payload: z.object({ limit }),
  reply: z.object({ campaigns: z.array(CampaignView) }),
});
export const AskStartCampaign = request({
  ...ask,
  type: 'ask.collector-start-campaign',
  subject: 'ask.v1.collector.start-campaign',
  says: 'Collects by hand.',
  payload: z.object({
    reason: z.string().max(500),
    policy: SamplingPolicy.omit({ version: true }),
    nodes: NodeSelection.default({ all: true }),
    samplesTotal: z.int().positive().nullable(),
    lastsMs: z.int().positive().nullable(),
  }),
  reply: z.object({ campaignId: CampaignId }),
});

export const DatasetView = z.object({
  datasetId: DatasetId,
  version: z.int(),
  items: z.int(),
  train: z.int(),
  holdout: z.int(),
  newLabels: z.int(),
  createdAt: Timestamp,
});
export const AskDatasets = request({
  ...ask,
  type: 'ask.labeling-datasets',
  subject: 'ask.v1.labeling.datasets',
  says: 'Dataset snapshots, newest first.',
  payload: z.object({ limit }),
  reply: z.object({
    datasets: z.array(DatasetView),
    tasks: z.object({ open: z.int(), claimed: z.int(), answered: z.int(), skipped: z.int() }),
    apiUrl: z.string(),
  }),
});
export const ImportedItem = z.object({ picture: ObjectRef, boxes: z.array(LabelBox), slice: z.string().min(1).max(32) });
export const AskImportDataset = request({
  ...ask,
  type: 'ask.labeling-import',
  subject: 'ask.v1.labeling.import',
  says: 'Takes what was labelled before: an object in the `datasets` bucket that lists pictures already there.',
  payload: z.object({ /** JSON `{classes: string[], items: ImportedItem[]}`. */ list: ObjectRef, reason: z.string().max(500) }),
  reply: z.object({ datasetId: DatasetId, version: z.int() }),
});
export const AskSnapshot = request({
  ...ask,
  type: 'ask.labeling-snapshot',
  subject: 'ask.v1.labeling.snapshot',
  says: 'Freezes the dataset now.',
  payload: z.object({ reason: z.string().max(500) }),
  reply: z.object({ datasetId: DatasetId, version: z.int(), newLabels: z.int() }),
});

export const FieldView = z.object({
  nodeId: NodeId,
  releaseId: ReleaseId.nullable(),
  windows: z.int(),
  /** Of them, those of the release that runs. */
  releaseWindows: z.int().nonnegative(),
  frames: z.int(),
  detectionsPerFrame: z.number(),
  brightness: z.number(),
  sharpness: z.number(),
  framesPerSecond: z.number(),
  drifted: z.boolean(),
  lastWindowAt: Timestamp.nullable(),
});
/** What one release saw in the field, on all nodes together. */
export const ReleaseFieldView = z.object({
  releaseId: ReleaseId,
  nodes: z.int().nonnegative(),
  windows: z.int().nonnegative(),
  frames: z.int().nonnegative(),
  detectionsPerFrame: z.number().nonnegative(),
  /** Share of frames without a detection. */
  emptyShare: z.number().min(0).max(1),
});
export const AskField = request({
  ...ask,
  type: 'ask.evidence-field',
  subject: 'ask.v1.evidence.field',
  says: 'Field statistics per node and per release.',
  payload: z.object({}),
  reply: z.object({ nodes: z.array(FieldView), releases: z.array(ReleaseFieldView) }),
});

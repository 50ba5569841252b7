import { z } from 'zod';
import { request } from '../contract.ts';
import { NodeSelection } from '../rollout-strategy.ts';
import { SamplingPolicy } from '../sampling-policy.ts';
import { CampaignId, DatasetId, LabelBox, NodeId, ObjectRef, ReleaseId, Timestamp } from '../values.ts';
import { ask, limit } from './ask.ts';

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

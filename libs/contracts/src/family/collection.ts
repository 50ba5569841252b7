import { z } from 'zod';
import { event } from '../contract.ts';
import { NodeSelection } from '../rollout-strategy.ts';
import { SamplingPolicy } from '../sampling-policy.ts';
import { CampaignId, NodeId, ObjectRef, SampleId, Timestamp } from '../values.ts';
import { SampleManifest } from './node-samples.ts';
import { loop } from './loop-stream.ts';

/** The policy that holds when no other campaign runs. */
export const BASE_CAMPAIGN = 'base';

export const CampaignStarted = event({
  ...loop,
  type: 'campaign.started',
  subject: 'campaign.v1.{campaignId}.started',
  says: 'Nodes shall collect by this policy until the campaign closes.',
  payload: z.object({
    campaignId: CampaignId,
    reason: z.string().max(500),
    policy: SamplingPolicy,
    nodes: NodeSelection,
    samplesTotal: z.int().positive().nullable(),
    deadline: Timestamp.nullable(),
  }),
});
export const CampaignClosed = event({
  ...loop,
  type: 'campaign.closed',
  subject: 'campaign.v1.{campaignId}.closed',
  says: 'The campaign has what it wanted, or ran out of time; the base policy holds again.',
  payload: z.object({ campaignId: CampaignId, outcome: z.enum(['full', 'deadline', 'by-hand']), accepted: z.int().nonnegative() }),
});

export const SampleAccepted = event({
  type: 'sample.accepted',
  v: 1,
  stream: 'SAMPLES',
  subject: 'sample.v1.{nodeId}.{sampleId}',
  says: 'The ledger entry of one sample, once for ever: its object was found, hashed and decoded.',
  payload: z.object({ nodeId: NodeId, sampleId: SampleId, manifest: SampleManifest, acceptedAt: Timestamp }),
});
export const SampleQuarantined = event({
  ...loop,
  type: 'sample.quarantined',
  subject: 'quarantine.v1.{nodeId}.{sampleId}',
  says: 'A sample was refused, and why.',
  payload: z.object({ nodeId: NodeId, sampleId: SampleId, cause: z.string().max(64), reason: z.string().max(1000), object: ObjectRef }),
});

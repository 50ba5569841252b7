import { z } from 'zod';
import { event } from '../contract.ts';
import { CampaignId, NodeId, ReleaseId, RolloutId } from '../values.ts';
import { loop } from './loop-stream.ts';

export const NodeEnrolled = event({
  ...loop,
  type: 'fleet.enrolled',
  subject: 'fleet.v1.{nodeId}.enrolled',
  says: 'A node joined the fleet.',
  payload: z.object({ nodeId: NodeId, publicKey: z.string(), attributes: z.record(z.string(), z.string()) }),
});
export const NodeDesiredSet = event({
  ...loop,
  type: 'fleet.desired-set',
  subject: 'fleet.v1.{nodeId}.desired-set',
  says: 'The signed desired state of a node changed.',
  payload: z.object({
    nodeId: NodeId,
    generation: z.int().positive(),
    releaseId: ReleaseId.nullable(),
    rolloutId: RolloutId.nullable(),
    campaignId: CampaignId,
    policyVersion: z.int().positive(),
  }),
});

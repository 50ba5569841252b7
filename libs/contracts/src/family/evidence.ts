import { z } from 'zod';
import { event } from '../contract.ts';
import { NodeId, ReleaseId, Timestamp } from '../values.ts';
import { loop } from './loop-stream.ts';

export const NodeDrifted = event({
  ...loop,
  type: 'evidence.drifted',
  subject: 'evidence.v1.{nodeId}.drifted',
  says: 'The node left its own baseline, with the numbers.',
  payload: z.object({
    nodeId: NodeId,
    releaseId: ReleaseId.nullable(),
    at: Timestamp,
    /** For each measure that left: baseline mean and spread, what is seen now, distance in spreads. */
    measures: z
      .array(
        z.object({
          measure: z.enum(['detections-per-frame', 'mean-score', 'brightness', 'sharpness', 'empty-share']),
          baseline: z.number(),
          spread: z.number(),
          now: z.number(),
          distance: z.number(),
        }),
      )
      .min(1),
    windows: z.object({ baseline: z.int().positive(), recent: z.int().positive() }),
  }),
});
export const NodeSettled = event({
  ...loop,
  type: 'evidence.settled',
  subject: 'evidence.v1.{nodeId}.settled',
  says: 'The node is back within its baseline, or a new release began a new one.',
  payload: z.object({ nodeId: NodeId, releaseId: ReleaseId.nullable(), at: Timestamp, reason: z.string().max(500) }),
});

import { RolloutRelease, SamplingPolicy } from '@edgeloop/contracts';
import { z } from 'zod';
import type { Invite } from '../domain/invite.ts';
import type { Node } from '../domain/node.ts';
import type { Standing } from '../domain/standing.ts';

/** Key of the one document in bucket `fleet`. */
export const STANDING_KEY = 'standing';

const sequence = z.int().nonnegative();
const selection = z.union([z.object({ all: z.literal(true) }), z.object({ nodeIds: z.array(z.string()) })]);

/** Bucket `nodes`, one key a node. */
export const NodeDocument: z.ZodType<Node> = z.object({
  nodeId: z.string(),
  publicKey: z.string(),
  userJwt: z.string(),
  inviteId: z.string(),
  attributes: z.record(z.string(), z.string()),
  enrolledAt: z.number(),
  generation: z.int().positive(),
  changedAt: z.number(),
  release: RolloutRelease.extend({ rolloutId: z.string().nullable() }).nullable(),
  follows: z.boolean(),
  policy: SamplingPolicy,
  campaignId: z.string(),
  assignment: z.object({ sequence, recent: z.array(z.string()) }),
  reported: z
    .object({ releaseId: z.string(), generation: z.int(), outcome: z.string().nullable(), reason: z.string().nullable(), sequence })
    .nullable(),
});

/** Bucket `fleet`, one key. */
export const StandingDocument: z.ZodType<Standing> = z.object({
  version: z.int().nonnegative(),
  proven: z.object({ release: RolloutRelease, sequence }).nullable(),
  open: z.array(z.object({ campaignId: z.string(), policy: SamplingPolicy, nodes: selection, sequence })),
  closed: z.array(z.object({ campaignId: z.string(), sequence })),
});

/** Bucket `invites`, one key an invite. */
export const InviteDocument: z.ZodType<Invite> = z.object({
  inviteId: z.string(),
  secretHash: z.string(),
  expiresAt: z.number(),
  nodeId: z.string().nullable(),
  usedBy: z.object({ nodeId: z.string(), publicKey: z.string(), at: z.number() }).nullable(),
});

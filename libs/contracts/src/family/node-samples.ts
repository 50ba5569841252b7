import { z } from 'zod';
import { event, request } from '../contract.ts';
import { BOXES_PER_PICTURE_MAX, CampaignId, NodeId, ObjectRef, PredictedBox, SampleId, Score, Timestamp } from '../values.ts';
import { RunningModel, sequenced } from './node.ts';

export const SampleManifest = z.object({
  ...sequenced,
  sampleId: SampleId,
  object: ObjectRef,
  campaignId: CampaignId,
  capturedAt: Timestamp,
  picture: z.object({
    width: z.int().positive(),
    height: z.int().positive(),
    /** Mean luma 0..1. */
    brightness: Score,
    sharpness: z.number().nonnegative(),
    /** 64-bit difference hash, 16 hex digits. */
    dhash: z.string().regex(/^[0-9a-f]{16}$/),
  }),
  model: RunningModel.nullable(),
  why: z.object({
    policyId: z.string(),
    policyVersion: z.int().nonnegative(),
    rule: z.string().max(64),
    inclusionProbability: z.number().gt(0).max(1),
  }),
  predictions: z.array(PredictedBox).max(BOXES_PER_PICTURE_MAX),
});
export type SampleManifest = z.output<typeof SampleManifest>;

export const NodeManifest = event({
  type: 'node.manifest',
  v: 1,
  stream: 'NODES',
  subject: 'node.v1.{nodeId}.manifest',
  says: 'A kept frame was uploaded: what it is, which model saw it, and why it was kept.',
  payload: SampleManifest,
});

/** Plain text inside `NodeGrant` answers, sealed to the asking node's key. */
export const UploadCredentials = z.object({
  nodeId: NodeId,
  endpoint: z.url(),
  region: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  sessionToken: z.string(),
});
export type UploadCredentials = z.output<typeof UploadCredentials>;

/** What one grant lets a node upload before it asks again, where the campaign has no end or a farther one. */
export const SAMPLES_PER_GRANT_MAX = 1_000;

export const NodeGrant = request({
  type: 'node.grant',
  v: 1,
  subject: 'node.v1.{nodeId}.grant',
  says: 'The node asks for the right to upload samples of a campaign.',
  payload: z.object({
    nodeId: NodeId,
    campaignId: CampaignId,
    /** x25519 public nkey (`X…`) made on the node. */
    sealTo: z.string().min(10).max(100),
    wanted: z.int().positive().max(1000),
  }),
  reply: z.discriminatedUnion('granted', [
    z.object({
      granted: z.literal(true),
      bucket: z.string(),
      /** Keys must start with this: `<nodeId>/<campaignId>/`. */
      keyPrefix: z.string(),
      expiresAt: Timestamp,
      /** How many samples the campaign still takes from this node; `SAMPLES_PER_GRANT_MAX`: that many or more. */
      samplesLeft: z.int().nonnegative(),
      /** Base64 of `UploadCredentials` JSON sealed with x25519 from `sealedBy` to `sealTo`. */
      sealed: z.string(),
      sealedBy: z.string(),
    }),
    z.object({
      granted: z.literal(false),
      reason: z.enum(['campaign-closed', 'budget-spent', 'node-unknown', 'not-ready']),
      retryAfterMs: z.int().nonnegative(),
    }),
  ]),
});

/** Samples that one question for receipts names; nodes with more ask again. */
export const RECEIPTS_PER_REQUEST_MAX = 100;

export const NodeReceipts = request({
  type: 'node.receipts',
  v: 1,
  subject: 'node.v1.{nodeId}.receipts',
  says: 'The node asks which of its samples the collector has in its own ledger; only then may it forget them.',
  payload: z.object({
    nodeId: NodeId,
    sampleIds: z.array(SampleId).min(1).max(RECEIPTS_PER_REQUEST_MAX),
    /** Those among them that cannot be uploaded (again) because their campaign has closed; `announced`: their manifest was published. */
    closed: z
      .array(z.object({ sampleId: SampleId, campaignId: CampaignId, announced: z.boolean() }))
      .max(RECEIPTS_PER_REQUEST_MAX)
      .optional(),
  }),
  reply: z.object({
    accepted: z.array(SampleId),
    quarantined: z.array(z.object({ sampleId: SampleId, reason: z.string() })),
    /** None of the others: send the manifest again, and the object when it is missing. */
    unknown: z.array(SampleId),
    /** Not in the ledger, and their campaign has closed: they are not wanted any more, the node may forget them. */
    declined: z.array(SampleId).optional(),
  }),
});

import { z } from 'zod';
import { SUBJECT_TOKEN } from './subject.ts';

const token = z.string().regex(SUBJECT_TOKEN, 'use letters, digits, "-" and "_", at most 128');

export const NodeId = token.max(64);
export const RunId = token;
export const PackageId = token;
/** `<model name>-<version>`, for example `hardhat-v2`. */
export const ReleaseId = token;
export const RolloutId = token;
export const CampaignId = token;
export const TaskId = token;
export const DatasetId = token;
export const InviteId = token;
export type NodeId = z.output<typeof NodeId>;

/** SHA-256 of the picture's bytes as stored, 64 lower-case hex digits. */
export const SampleId = z.string().regex(/^[0-9a-f]{64}$/);
export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256:<64 hex digits>');
export type Digest = z.output<typeof Digest>;

export const ChannelName = z.enum(['edge', 'staging', 'production']);
export type ChannelName = z.output<typeof ChannelName>;

/** ISO 8601 in UTC with milliseconds. */
export const Timestamp = z.iso.datetime();

/** Bytes in the object store; on the bus travels only this. */
export const ObjectRef = z.object({
  bucket: z.string().min(3),
  key: z.string().min(1).max(1024),
  digest: Digest,
  bytes: z.int().nonnegative(),
});
export type ObjectRef = z.output<typeof ObjectRef>;

/** Classes of one model. */
export const CLASSES_MAX = 1000;
export const ClassName = z.string().min(1).max(100);
export const Score = z.number().min(0).max(1);

/** A labelled box, YOLO convention: centre and size as fractions of the picture. */
export const LabelBox = z.object({
  classId: z
    .int()
    .min(0)
    .max(CLASSES_MAX - 1),
  cx: z.number().min(0).max(1),
  cy: z.number().min(0).max(1),
  w: z.number().gt(0).max(1),
  h: z.number().gt(0).max(1),
});
export type LabelBox = z.output<typeof LabelBox>;

/** A model's box, in the same fractions as `LabelBox`, with its confidence. */
export const PredictedBox = LabelBox.extend({ score: Score });
export type PredictedBox = z.output<typeof PredictedBox>;
/** Boxes that travel with one picture, the best first. */
export const BOXES_PER_PICTURE_MAX = 300;

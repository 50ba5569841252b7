import { z } from 'zod';
import { ClassName, DatasetId, Digest, LabelBox, NodeId, ObjectRef, SampleId } from './values.ts';

/** A snapshot is one JSON object that the trainer reads whole. */
export const DATASET_ITEMS_MAX = 1_000_000;

export const DatasetItem = z.object({
  sampleId: SampleId,
  picture: ObjectRef,
  label: z.object({ digest: Digest, boxes: z.array(LabelBox) }),
  split: z.enum(['train', 'holdout']),
  origin: z.enum(['imported', 'collected']),
  /** Condition the picture was taken in, for scores per slice: `day`, `night`. */
  slice: z.string().min(1).max(32),
  nodeId: NodeId.nullable(),
  capturedAt: z.iso.datetime().nullable(),
});
export type DatasetItem = z.output<typeof DatasetItem>;

/** `snapshot.json` in the `datasets` bucket; its digest names the dataset. Items are sorted by sampleId. */
export const DatasetSnapshot = z.object({
  datasetId: DatasetId,
  version: z.int().positive(),
  parent: DatasetId.nullable(),
  classes: z.array(ClassName).min(1),
  items: z.array(DatasetItem).max(DATASET_ITEMS_MAX),
  /** Labelled samples that are neither trained nor judged on, because they resemble pictures on both sides of the split. */
  withheld: z.array(SampleId).max(DATASET_ITEMS_MAX).default([]),
});
export type DatasetSnapshot = z.output<typeof DatasetSnapshot>;

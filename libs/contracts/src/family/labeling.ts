import { z } from 'zod';
import { event } from '../contract.ts';
import {
  BOXES_PER_PICTURE_MAX,
  DatasetId,
  Digest,
  LabelBox,
  NodeId,
  ObjectRef,
  PredictedBox,
  SampleId,
  TaskId,
  Timestamp,
} from '../values.ts';
import { loop } from './loop-stream.ts';

export const TaskCreated = event({
  ...loop,
  type: 'label.task-created',
  subject: 'label.v1.{taskId}.task-created',
  says: 'People are asked to label a sample.',
  payload: z.object({ taskId: TaskId, nodeId: NodeId, sampleId: SampleId, preLabels: z.array(PredictedBox).max(BOXES_PER_PICTURE_MAX) }),
});
export const TaskAnswered = event({
  type: 'label.answered',
  v: 1,
  stream: 'LABELS',
  subject: 'label.v1.{taskId}.answered',
  says: 'The answer to a task, once for ever.',
  payload: z.object({
    taskId: TaskId,
    nodeId: NodeId,
    sampleId: SampleId,
    outcome: z.enum(['labeled', 'skipped']),
    boxes: z.array(LabelBox).max(BOXES_PER_PICTURE_MAX),
    labelDigest: Digest,
    annotator: z.string().min(1).max(100),
    answeredAt: Timestamp,
  }),
});

export const DatasetSnapshotted = event({
  ...loop,
  type: 'dataset.snapshotted',
  subject: 'dataset.v1.{datasetId}.snapshotted',
  says: 'A frozen, content-addressed dataset is ready.',
  payload: z.object({
    datasetId: DatasetId,
    version: z.int().positive(),
    parent: DatasetId.nullable(),
    manifest: ObjectRef,
    classes: z.array(z.string()).min(1),
    counts: z.object({
      items: z.int().nonnegative(),
      train: z.int().nonnegative(),
      holdout: z.int().nonnegative(),
      /** Answers that no earlier snapshot held. */
      newLabels: z.int().nonnegative(),
      newPerClass: z.record(z.string(), z.int().nonnegative()),
      perSlice: z.record(z.string(), z.object({ train: z.int().nonnegative(), holdout: z.int().nonnegative() })),
    }),
    reason: z.string().max(500),
  }),
});

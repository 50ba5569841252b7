import { z } from 'zod';
import { CLASSES_MAX, ClassName, Digest, PredictedBox, Score } from './values.ts';

export const ModelLayout = z.enum(['yolov5', 'yolov8', 'end-to-end']);
export type ModelLayout = z.output<typeof ModelLayout>;

export const ModelInput = z.object({
  width: z.int().positive().max(4096),
  height: z.int().positive().max(4096),
  /** Value range of a channel after pre-processing. */
  range: z.enum(['0..1', '0..255']),
  order: z.enum(['RGB', 'BGR']),
});
export type ModelInput = z.output<typeof ModelInput>;

export const ModelName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'lower-case letters, digits and "-", at most 40');
export const ModelVersion = z.string().regex(/^v[1-9][0-9]{0,8}$/, 'expected v1, v2, …');

/** What a training run says about its model; the packager turns it into a `PackageManifest`. */
export const ModelCard = z.object({
  name: ModelName,
  version: ModelVersion,
  classes: z.array(ClassName).min(1).max(CLASSES_MAX),
  input: ModelInput,
  /** Undefined: detected from the graph. */
  layout: ModelLayout.optional(),
  /** Alarm threshold per class, in the order of `classes`. */
  thresholds: z.array(Score),
  nmsIou: Score,
});
export type ModelCard = z.output<typeof ModelCard>;

export const GoldenVector = z.object({
  /** Path of the picture inside the package. */
  picture: z.string(),
  pictureDigest: Digest,
  expected: z.array(PredictedBox),
});

export const PACKAGE_FORMAT = 1;

/** `manifest.json`, the first entry of every package. */
export const PackageManifest = z.object({
  format: z.literal(PACKAGE_FORMAT),
  model: ModelCard.extend({
    layout: ModelLayout,
    file: z.literal('model.onnx'),
    digest: Digest,
    bytes: z.int().positive(),
    outputShape: z.array(z.int()),
  }),
  needs: z.object({ runtime: z.string(), opset: z.int().positive(), memoryBytes: z.int().positive() }),
  goldens: z.object({ scoreTolerance: Score, boxTolerance: Score, vectors: z.array(GoldenVector).min(1).max(16) }),
  origin: z.object({ runId: z.string(), datasetId: z.string().nullable(), datasetDigest: Digest.nullable() }),
});
export type PackageManifest = z.output<typeof PackageManifest>;

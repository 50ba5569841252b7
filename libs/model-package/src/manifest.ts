import { PACKAGE_FORMAT, PackageManifest, type ModelCard } from '@edgeloop/contracts';
import { columnsOf, type OnnxSummary, type OutputShape } from '@edgeloop/vision';
import { PackageInputError } from './errors.ts';
import { MODEL_FILE } from './entry-names.ts';
import { BOX_TOLERANCE, SCORE_TOLERANCE, type GoldenSet } from './goldens.ts';

/** The model runtime that made the golden vectors; a node needs this or a later one. */
export const RUNTIME_NEEDED = 'onnxruntime >= 1.30';
const MIB = 1024 * 1024;
/** Process, runtime and picture decoder before any weights are loaded. */
const BASE_MEMORY_BYTES = 96 * MIB;
/** Weights lie in memory as file and as prepared copy. */
const COPIES_OF_WEIGHTS = 2;
/** Room for the feature maps, in multiples of the input tensor: a YOLO's widest layers hold about this much at once. */
const INPUTS_OF_ACTIVATIONS = 16;
const BYTES_PER_VALUE = 4;

export interface ManifestParts {
  readonly card: ModelCard;
  readonly model: { readonly digest: string; readonly bytes: number };
  readonly inspection: Pick<OnnxSummary, 'opset' | 'initializerBytes'>;
  readonly shape: OutputShape;
  readonly goldens: GoldenSet;
  readonly origin: PackageManifest['origin'];
}

/** Throws `PackageInputError` when the parts contradict each other. */
export function buildManifest(parts: ManifestParts): PackageManifest {
  const { card, shape, inspection } = parts;
  if (card.thresholds.length !== card.classes.length)
    throw new PackageInputError(
      `${card.classes.length} classes, but ${card.thresholds.length} thresholds: give one threshold for each class`,
    );
  const parsed = PackageManifest.safeParse({
    format: PACKAGE_FORMAT,
    model: { ...card, ...parts.model, layout: shape.layout, file: MODEL_FILE, outputShape: outputShapeOf(shape) },
    needs: { runtime: RUNTIME_NEEDED, opset: inspection.opset, memoryBytes: memoryNeeded(card, inspection.initializerBytes) },
    goldens: { scoreTolerance: SCORE_TOLERANCE, boxTolerance: BOX_TOLERANCE, vectors: parts.goldens.vectors },
    origin: parts.origin,
  });
  if (parsed.success) return parsed.data;
  throw new PackageInputError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}

/** The same manifest is the same text: keys in the order of the schema, one space of indent, a newline at the end. */
export function manifestText(manifest: PackageManifest): string {
  return `${JSON.stringify(PackageManifest.parse(manifest), undefined, 1)}\n`;
}

function outputShapeOf(shape: OutputShape): number[] {
  const columns = columnsOf(shape);
  return shape.layout === 'yolov8' ? [1, columns, shape.rows] : [1, shape.rows, columns];
}

function memoryNeeded({ input }: ModelCard, initializerBytes: number): number {
  const inputBytes = 3 * input.width * input.height * BYTES_PER_VALUE;
  const bytes = BASE_MEMORY_BYTES + COPIES_OF_WEIGHTS * initializerBytes + INPUTS_OF_ACTIVATIONS * inputBytes;
  return Math.ceil(bytes / MIB) * MIB;
}

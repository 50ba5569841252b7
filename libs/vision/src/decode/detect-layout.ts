import { LayoutMismatchError } from '../errors.ts';
import type { OutputLayout, OutputShape } from './layout.ts';

/** An end-to-end head keeps this many boxes at most; more rows mean raw anchors. */
export const END_TO_END_ROWS_MAX = 1000;

const STRIDES = [8, 16, 32] as const;
const ANCHORS_PER_CELL = [1, 3] as const;

type Dim = number | string;

export interface LayoutQuestion {
  /** Dimensions of the output tensor; a string stands for a symbolic one. */
  readonly outputDims: readonly Dim[];
  /** `[1,3,height,width]`. */
  readonly inputDims: readonly Dim[];
  readonly classCount: number;
  /** ONNX metadata properties. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** What the package or the training run declares; wins over detection, but is checked. */
  readonly declared?: OutputLayout;
}

/**
 * Finds the layout: declared, else by metadata, else by the dimensions; always checked against the class count.
 * @throws LayoutMismatchError where nothing fits, two layouts fit, or a dimension is symbolic (ask again with the dimensions of a real run).
 */
export function detectLayout(question: LayoutQuestion): OutputShape {
  const [middle, last] = requireFixed(question);
  const fitting = (['yolov5', 'yolov8', 'end-to-end'] as const).filter((layout) => fits(layout, middle, last, question));
  const layout = question.declared ?? choose(fitting, middle, last, question);
  if (!fitting.includes(layout)) throw mismatch(question, expectation(layout, question.classCount));
  const rows = layout === 'yolov8' ? last : middle;
  return { layout, rows, classCount: question.classCount };
}

function requireFixed(question: LayoutQuestion): [number, number] {
  const { outputDims, classCount } = question;
  if (!(Number.isInteger(classCount) && classCount > 0)) throw mismatch(question, 'a detector needs at least one class name');
  if (outputDims.length !== 3) throw mismatch(question, `expected 3 dimensions, got ${outputDims.length}`);
  for (const dim of outputDims) {
    const known = typeof dim === 'number' && Number.isInteger(dim) && dim > 0;
    if (!known) throw mismatch(question, `dimension '${dim}' is not fixed; run the model once and ask with the real dimensions`);
  }
  const [batch, middle, last] = outputDims as number[];
  if (batch !== 1) throw mismatch(question, `expected a batch of 1, got ${batch}`);
  return [middle!, last!];
}

function fits(layout: OutputLayout, middle: number, last: number, { classCount }: LayoutQuestion): boolean {
  switch (layout) {
    case 'yolov5':
      return last === 5 + classCount;
    case 'yolov8':
      return middle === 4 + classCount;
    case 'end-to-end':
      return last === 6 && middle <= END_TO_END_ROWS_MAX;
    default:
      return layout satisfies never;
  }
}

function choose(fitting: readonly OutputLayout[], middle: number, last: number, question: LayoutQuestion): OutputLayout {
  if (saysEndToEnd(question.metadata)) return 'end-to-end';
  if (fitting.length === 1) return fitting[0]!;
  if (fitting.length === 0) throw mismatch(question, 'expected [1,N,5+classes], [1,4+classes,N] or [1,M,6]');
  const byAnchors = fitting.filter((layout) => layout !== 'end-to-end' && isAnchorCount(layout === 'yolov8' ? last : middle, question));
  if (byAnchors.length === 1) return byAnchors[0]!;
  if (byAnchors.length === 0 && fitting.includes('end-to-end')) return 'end-to-end';
  throw mismatch(question, `${fitting.join(' and ')} fit equally; declare the layout`);
}

function saysEndToEnd(metadata: LayoutQuestion['metadata']): boolean {
  return metadata?.['end2end']?.trim().toLowerCase() === 'true';
}

/** One-class YOLOv5 rows look like end-to-end rows; the count of anchors of the input size tells them apart. */
function isAnchorCount(rows: number, { inputDims }: LayoutQuestion): boolean {
  const [height, width] = [inputDims[2], inputDims[3]];
  if (typeof height !== 'number' || typeof width !== 'number') return false;
  const cells = STRIDES.reduce((sum, stride) => sum + Math.ceil(height / stride) * Math.ceil(width / stride), 0);
  return ANCHORS_PER_CELL.some((anchors) => rows === cells * anchors);
}

function expectation(layout: OutputLayout, classCount: number): string {
  const expected = {
    yolov5: `[1,N,${5 + classCount}]`,
    yolov8: `[1,${4 + classCount},N]`,
    'end-to-end': `[1,M,6] with M <= ${END_TO_END_ROWS_MAX}`,
  };
  return `layout ${layout} expects ${expected[layout]}`;
}

function mismatch({ outputDims, classCount }: LayoutQuestion, reason: string): LayoutMismatchError {
  return new LayoutMismatchError(reason, outputDims, classCount);
}

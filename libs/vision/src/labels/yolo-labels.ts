import { LabelLineError } from '../errors.ts';
import type { Corners, Size } from '../picture/geometry.ts';

/** Label lines of one picture. */
export const LABEL_LINES_MAX = 10_000;

/** One labelled box: centre and size as fractions of the picture. */
export interface LabelledBox {
  readonly classId: number;
  readonly cx: number;
  readonly cy: number;
  readonly w: number;
  readonly h: number;
}

export interface LabelSource {
  /** Named in errors. */
  readonly file: string;
  /** Lines of `classes.txt`. */
  readonly classCount: number;
}

/**
 * Reads a YOLO label file, `class cx cy w h` a line. Empty lines are ignored.
 * @throws LabelLineError on the first bad line
 */
export function parseYoloLabels(text: string, source: LabelSource): LabelledBox[] {
  const { boxes, bad } = parseYoloLabelLines(text, source);
  if (bad[0] !== undefined) throw bad[0];
  return boxes;
}

/** The same, but bad lines are returned beside the good ones. */
export function parseYoloLabelLines(text: string, source: LabelSource): { boxes: LabelledBox[]; bad: LabelLineError[] } {
  const boxes: LabelledBox[] = [];
  const bad: LabelLineError[] = [];
  const lines = text.split(/\r?\n/);
  if (lines.length > LABEL_LINES_MAX)
    return { boxes, bad: [new LabelLineError(source.file, LABEL_LINES_MAX, `more than ${LABEL_LINES_MAX} lines`)] };
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const parsed = parseLine(line.trim(), source.classCount);
    if (typeof parsed === 'string') bad.push(new LabelLineError(source.file, index + 1, parsed));
    else boxes.push(parsed);
  }
  return { boxes, bad };
}

/** The text of a label file; empty for a picture without boxes. */
export function formatYoloLabels(boxes: readonly LabelledBox[]): string {
  return boxes.map(({ classId, cx, cy, w, h }) => `${classId} ${[cx, cy, w, h].map((value) => value.toFixed(6)).join(' ')}\n`).join('');
}

/** Lines of `classes.txt`, in order. Trailing empty lines are ignored. */
export function parseClassNames(text: string, file: string): string[] {
  const names = text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trim());
  for (const [index, name] of names.entries()) {
    if (name === '') throw new LabelLineError(file, index + 1, 'no class name');
    if (names.indexOf(name) !== index) throw new LabelLineError(file, index + 1, `class '${name}' is named twice`);
  }
  return names;
}

/** To pixels, clipped to the picture. */
export function toCorners({ cx, cy, w, h }: Omit<LabelledBox, 'classId'>, { width, height }: Size): Corners {
  const clip = (fraction: number) => Math.min(1, Math.max(0, fraction));
  return { x1: clip(cx - w / 2) * width, y1: clip(cy - h / 2) * height, x2: clip(cx + w / 2) * width, y2: clip(cy + h / 2) * height };
}

/** From pixels inside the picture. */
export function toFractions({ x1, y1, x2, y2 }: Corners, { width, height }: Size): Omit<LabelledBox, 'classId'> {
  return { cx: (x1 + x2) / 2 / width, cy: (y1 + y2) / 2 / height, w: (x2 - x1) / width, h: (y2 - y1) / height };
}

/** The box, or what is wrong with the line. */
function parseLine(line: string, classCount: number): LabelledBox | string {
  const fields = line.split(/\s+/);
  if (fields.length !== 5) return `expected 5 fields (class cx cy w h), got ${fields.length}`;
  const numbers = fields.map(toNumber);
  const wrong = numbers.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) return `'${fields[wrong]!.slice(0, 40)}' is not a number`;
  const [classId, cx, cy, w, h] = numbers as [number, number, number, number, number];
  if (!Number.isInteger(classId) || classId < 0) return `class ${classId} is not a whole number from 0`;
  if (classId >= classCount) return `class ${classId}, but classes.txt names only ${classCount}`;
  const outside = [cx, cy, w, h].find((value) => value < 0 || value > 1);
  if (outside !== undefined) return `${outside} is outside of 0..1`;
  if (w === 0 || h === 0) return 'the box has no area';
  return { classId, cx, cy, w, h };
}

/** Plain decimal numbers alone: `Number` would take hexadecimal and empty text too. */
function toNumber(field: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(field) ? Number(field) : Number.NaN;
}

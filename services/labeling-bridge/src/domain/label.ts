import type { LabelBox } from '@edgeloop/contracts';

/** Finer differences than this part of a picture's side are no differences. */
const FRACTION_DIGITS = 6;

/** The same label in one form: rounded, in a fixed order, without boxes that occur twice; its digest names it. */
export function canonicalBoxes(boxes: readonly LabelBox[]): LabelBox[] {
  const rounded = boxes.map(({ classId, cx, cy, w, h }) => ({ classId, cx: round(cx), cy: round(cy), w: round(w), h: round(h) }));
  const byText = new Map(rounded.map((box) => [textOf(box), box]));
  return [...byText].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, box]) => box);
}

/** The text whose SHA-256 is the label digest. */
export function labelText(boxes: readonly LabelBox[]): string {
  return JSON.stringify(canonicalBoxes(boxes));
}

/** A box as wide as the picture must stay so; one of no width was never allowed in. */
function round(value: number): number {
  return Math.max(Number(value.toFixed(FRACTION_DIGITS)), value > 0 ? 10 ** -FRACTION_DIGITS : 0);
}

function textOf({ classId, cx, cy, w, h }: LabelBox): string {
  return [String(classId).padStart(4, '0'), ...[cx, cy, w, h].map((value) => value.toFixed(FRACTION_DIGITS))].join(' ');
}

export interface BoxProblem {
  readonly index: number;
  readonly problem: string;
}

/** A box must name a class that exists and have its middle in the picture. */
export function findBoxProblem(boxes: readonly LabelBox[], classes: readonly string[]): BoxProblem | undefined {
  for (const [index, { classId }] of boxes.entries()) {
    if (classId >= classes.length) {
      const known = classes.map((name, id) => `${id} ${name}`).join(', ');
      return { index, problem: `class ${classId} does not exist; there are: ${known}` };
    }
  }
  return undefined;
}

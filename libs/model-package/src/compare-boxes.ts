import type { PredictedBox } from '@edgeloop/contracts';

/** Largest absolute differences: of scores, and of centre or size as a fraction of the picture. */
export interface Deviation {
  readonly score: number;
  readonly box: number;
}

export interface Tolerance extends Deviation {
  /** Both sides were cut here: a box this close above it may be missing on the other side. */
  readonly scoreFloor: number;
}

export interface Comparison {
  readonly largest: Deviation;
  /** Undefined: the same within the tolerance. */
  readonly difference: string | undefined;
}

const MISSING: Deviation = { score: Infinity, box: Infinity };

/** Pairs each expected box with the nearest answer of its class; what is left over on either side counts unless it barely passed the floor. */
export function compareBoxes(expected: readonly PredictedBox[], answered: readonly PredictedBox[], tolerance: Tolerance): Comparison {
  const left = new Set(answered);
  let largest: Deviation = { score: 0, box: 0 };
  let difference: string | undefined;
  const note = (deviation: Deviation, words: string): void => {
    largest = { score: Math.max(largest.score, deviation.score), box: Math.max(largest.box, deviation.box) };
    if (deviation.score > tolerance.score || deviation.box > tolerance.box) difference ??= words;
  };
  for (const box of expected) {
    const [nearest, deviation] = nearestTo(box, left);
    if (nearest !== undefined && deviation.box <= tolerance.box) {
      left.delete(nearest);
      note(deviation, `${wordsOf(box)} scores ${nearest.score} here`);
    } else if (!isMarginal(box, tolerance)) note(MISSING, `${wordsOf(box)} is not seen here`);
  }
  for (const box of left) if (!isMarginal(box, tolerance)) note(MISSING, `${wordsOf(box)} is seen here only`);
  return { largest, difference };
}

function nearestTo(box: PredictedBox, candidates: ReadonlySet<PredictedBox>): [PredictedBox | undefined, Deviation] {
  let best: [PredictedBox | undefined, Deviation] = [undefined, MISSING];
  for (const candidate of candidates) {
    if (candidate.classId !== box.classId) continue;
    const deviation = deviationOf(box, candidate);
    if (deviation.box < best[1].box) best = [candidate, deviation];
  }
  return best;
}

function deviationOf(one: PredictedBox, other: PredictedBox): Deviation {
  const differences = (['cx', 'cy', 'w', 'h'] as const).map((side) => distance(one[side], other[side]));
  return { score: distance(one.score, other.score), box: Math.max(...differences) };
}

/** Golden values have five decimals: what binary fractions add below that is no difference. */
function distance(one: number, other: number): number {
  return Math.round(Math.abs(one - other) * 1e6) / 1e6;
}

function isMarginal(box: PredictedBox, tolerance: Tolerance): boolean {
  return box.score <= tolerance.scoreFloor + tolerance.score;
}

function wordsOf(box: PredictedBox): string {
  return `class ${box.classId} at ${box.cx.toFixed(3)},${box.cy.toFixed(3)} with score ${box.score}`;
}

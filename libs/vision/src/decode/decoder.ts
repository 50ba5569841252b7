import { Candidates } from './candidates.ts';
import type { OutputShape } from './layout.ts';

/** Detections kept per frame, the best first: as many as a message about a frame may carry. */
export const DETECTIONS_MAX = 300;

/** Candidates that take part in suppression, the best first, as in the YOLO tools. */
export const CANDIDATES_MAX = 30_000;

/** Least positive float32. */
const SCORE_LEAST = 2 ** -149;

/** A box in input pixels. */
export interface InputDetection {
  readonly classId: number;
  readonly score: number;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** A range of scores, both ends included. */
export interface ScoreBand {
  readonly low: number;
  readonly high: number;
}

export interface Thresholds {
  /** Least score of a detection, for every class or one per class; a score equal to it counts. */
  readonly score: number | readonly number[];
  /** Two boxes of a class that overlap by more than this are one; equal overlap keeps both. */
  readonly iou: number;
}

export interface CandidateQuestion {
  /** Candidates under this score are not looked at. Default: the lowest threshold or band. */
  readonly candidateFloor?: number;
  /** Count the candidates within each of these, before suppression and thresholds. */
  readonly bands?: readonly ScoreBand[];
}

/** The raw candidates, before suppression cuts them: what a sampling policy judges uncertainty by. */
export interface CandidateSummary {
  readonly count: number;
  /** Best candidate per class; 0 where none reached the floor. */
  readonly maxScorePerClass: readonly number[];
  /** Candidates per asked band, in the same order. */
  readonly perBand: readonly number[];
  /** Rows dropped for NaN, infinity, an unknown class or a box without area. A sound model has none. */
  readonly malformed: number;
}

export interface Decoded {
  /** Best first. */
  readonly detections: readonly InputDetection[];
  readonly candidates: CandidateSummary;
}

/**
 * Turns output tensors into detections: threshold, sort, suppress per class. Buffers are reused, so keep one per stream of frames.
 */
export class Decoder {
  readonly #candidates = new Candidates();
  #keys = new Float64Array(0);
  /** Kept candidates, and for each the one kept before it of the same class: suppression compares with those alone. */
  readonly #kept = new Uint32Array(DETECTIONS_MAX);
  readonly #previous = new Int32Array(DETECTIONS_MAX);
  #lastOfClass = new Int32Array(0);

  /** @throws TensorSizeError, TooManyRowsError */
  decode(output: Float32Array, shape: OutputShape, thresholds: Thresholds, question: CandidateQuestion = {}): Decoded {
    const candidates = this.#candidates;
    const perClass = thresholdsPerClass(thresholds.score, shape.classCount);
    candidates.collect(output, shape, floorOf(perClass, question));
    const summary = this.#summarise(shape.classCount, question.bands ?? []);
    const sorted = this.#sort(perClass);
    const suppressed = shape.layout === 'end-to-end' ? this.#take(sorted) : this.#suppress(sorted, shape.classCount, thresholds.iou);
    return { detections: this.#detections(suppressed), candidates: summary };
  }

  #summarise(classCount: number, bands: readonly ScoreBand[]): CandidateSummary {
    const { count, score, classId, malformed } = this.#candidates;
    const maxScorePerClass = Array.from({ length: classCount }, () => 0);
    for (let i = 0; i < count; i++) {
      const value = score[i]!;
      const of = classId[i]!;
      if (value > maxScorePerClass[of]!) maxScorePerClass[of] = value;
    }
    return { count, malformed, maxScorePerClass, perBand: bands.map((band) => this.#countIn(band)) };
  }

  #countIn({ low, high }: ScoreBand): number {
    const { count, score } = this.#candidates;
    const least = Math.fround(low);
    const most = Math.fround(high);
    let inside = 0;
    for (let i = 0; i < count; i++) if (score[i]! >= least && score[i]! <= most) inside++;
    return inside;
  }

  /**
   * Numbers of the candidates at or above their class's threshold, best first, equal scores in row order. Score and
   * number share one key, so that the sort needs no comparator: 17 bits for the number, the bits of a positive float above.
   */
  #sort(thresholds: Float32Array): Uint32Array {
    const { count, score, classId } = this.#candidates;
    if (this.#keys.length < count) this.#keys = new Float64Array(Math.max(count, 2 * this.#keys.length));
    const keys = this.#keys;
    const bits = new Uint32Array(score.buffer, score.byteOffset, count);
    let passing = 0;
    for (let i = 0; i < count; i++) if (score[i]! >= thresholds[classId[i]!]!) keys[passing++] = i - bits[i]! * 131_072;
    const used = keys.subarray(0, passing).sort();
    const order = new Uint32Array(Math.min(passing, CANDIDATES_MAX));
    for (let i = 0; i < order.length; i++) order[i] = modulo(used[i]!);
    return order;
  }

  #take(order: Uint32Array): Uint32Array {
    return order.subarray(0, DETECTIONS_MAX);
  }

  #suppress(order: Uint32Array, classCount: number, iou: number): Uint32Array {
    const { classId } = this.#candidates;
    if (this.#lastOfClass.length < classCount) this.#lastOfClass = new Int32Array(classCount);
    this.#lastOfClass.fill(-1);
    let kept = 0;
    for (let i = 0; i < order.length && kept < DETECTIONS_MAX; i++) {
      const candidate = order[i]!;
      const last = this.#lastOfClass[classId[candidate]!]!;
      if (this.#overlapsKept(candidate, last, iou)) continue;
      this.#kept[kept] = candidate;
      this.#previous[kept] = last;
      this.#lastOfClass[classId[candidate]!] = kept++;
    }
    return this.#kept.subarray(0, kept);
  }

  #overlapsKept(candidate: number, last: number, iou: number): boolean {
    const { corners } = this.#candidates;
    const a = candidate * 4;
    const ax1 = corners[a]!;
    const ay1 = corners[a + 1]!;
    const ax2 = corners[a + 2]!;
    const ay2 = corners[a + 3]!;
    const areaA = (ax2 - ax1) * (ay2 - ay1);
    for (let k = last; k >= 0; k = this.#previous[k]!) {
      const b = this.#kept[k]! * 4;
      const bx1 = corners[b]!;
      const by1 = corners[b + 1]!;
      const bx2 = corners[b + 2]!;
      const by2 = corners[b + 3]!;
      const width = (ax2 < bx2 ? ax2 : bx2) - (ax1 > bx1 ? ax1 : bx1);
      const height = (ay2 < by2 ? ay2 : by2) - (ay1 > by1 ? ay1 : by1);
      if (!(width > 0 && height > 0)) continue;
      const overlap = width * height;
      if (overlap / (areaA + (bx2 - bx1) * (by2 - by1) - overlap) > iou) return true;
    }
    return false;
  }

  #detections(chosen: Uint32Array): InputDetection[] {
    const { corners, score, classId } = this.#candidates;
    return Array.from(chosen, (i) => ({
      classId: classId[i]!,
      score: score[i]!,
      x1: corners[i * 4]!,
      y1: corners[i * 4 + 1]!,
      x2: corners[i * 4 + 2]!,
      y2: corners[i * 4 + 3]!,
    }));
  }
}

function thresholdsPerClass(score: Thresholds['score'], classCount: number): Float32Array {
  if (typeof score === 'number') return new Float32Array(classCount).fill(score);
  if (score.length !== classCount) throw new RangeError(`${score.length} thresholds for ${classCount} classes`);
  return Float32Array.from(score);
}

function floorOf(thresholds: Float32Array, { candidateFloor, bands = [] }: CandidateQuestion): number {
  let floor = candidateFloor ?? Infinity;
  for (const threshold of thresholds) floor = Math.min(floor, threshold);
  for (const { low } of bands) floor = Math.min(floor, low);
  // A score of 0 is no candidate: end-to-end heads pad their output with it.
  return Math.max(floor, SCORE_LEAST);
}

/** The candidate's number out of `number - bits * 2^17`: JavaScript's remainder has the sign of the dividend. */
function modulo(key: number): number {
  const rest = key % 131_072;
  return rest < 0 ? rest + 131_072 : rest;
}

import { intersectionOverUnion } from '../picture/geometry.ts';
import type { Corners } from '../picture/geometry.ts';

/** Overlap at which a detection counts as having found a truth; equal overlap counts. */
export const MATCH_IOU = 0.5;

/** A box that is really there. */
export interface TruthBox extends Corners {
  readonly classId: number;
}

export interface ScoredBox extends TruthBox {
  readonly score: number;
}

/** One picture: what was found, what is there. */
export interface JudgedFrame {
  readonly detections: readonly ScoredBox[];
  readonly truth: readonly TruthBox[];
}

export interface ClassScore {
  /** Average precision at IoU 0.5; null where the class has no truth. */
  readonly ap50: number | null;
  readonly truths: number;
  readonly detections: number;
}

export interface MapScore {
  /** Mean of `ap50` over the classes that have truth; null where none has. */
  readonly map50: number | null;
  readonly perClass: Readonly<Record<string, ClassScore>>;
  readonly frames: number;
  /** Truths over all classes. */
  readonly boxes: number;
}

/** Gathers frames; keeps two numbers per detection, no picture and no box. */
export class AveragePrecisionMeter {
  readonly #classes: readonly string[];
  readonly #judged: Judged[];
  #frames = 0;

  constructor(classes: readonly string[]) {
    this.#classes = classes;
    this.#judged = classes.map(() => ({ truths: 0, scores: [], hits: [] }));
  }

  /** Boxes of classes beyond the names given are an error of the caller. */
  add({ detections, truth }: JudgedFrame): void {
    this.#frames++;
    for (const [classId, judged] of this.#judged.entries()) {
      const there = truth.filter((box) => box.classId === classId);
      const found = detections.filter((box) => box.classId === classId);
      judged.truths += there.length;
      matchFrame(found, there, judged);
    }
  }

  score(): MapScore {
    const perClass = this.#judged.map((judged) => ({
      ap50: averagePrecision(judged),
      truths: judged.truths,
      detections: judged.scores.length,
    }));
    const aps = perClass.flatMap(({ ap50 }) => (ap50 === null ? [] : [ap50]));
    return {
      map50: aps.length === 0 ? null : aps.reduce((sum, ap) => sum + ap, 0) / aps.length,
      perClass: Object.fromEntries(this.#classes.map((name, classId) => [name, perClass[classId]!])),
      frames: this.#frames,
      boxes: perClass.reduce((sum, { truths }) => sum + truths, 0),
    };
  }
}

/** Mean average precision at IoU 0.5, all-point interpolation, mean over the classes that have truth. */
export function meanAveragePrecision(frames: Iterable<JudgedFrame>, classes: readonly string[]): MapScore {
  const meter = new AveragePrecisionMeter(classes);
  for (const frame of frames) meter.add(frame);
  return meter.score();
}

/** Of one class: a score and a hit or miss per detection, over all frames. */
interface Judged {
  truths: number;
  readonly scores: number[];
  readonly hits: boolean[];
}

/** Best detection first, each takes the free truth that it overlaps most. A second box on a taken truth is a miss. */
function matchFrame(found: readonly ScoredBox[], there: readonly TruthBox[], judged: Judged): void {
  const taken = new Set<TruthBox>();
  for (const detection of found.toSorted((a, b) => b.score - a.score)) {
    let best: TruthBox | undefined;
    let bestIou = MATCH_IOU;
    for (const truth of there) {
      const iou = intersectionOverUnion(detection, truth);
      const better = best === undefined ? iou >= bestIou : iou > bestIou;
      if (!better || taken.has(truth)) continue;
      best = truth;
      bestIou = iou;
    }
    if (best !== undefined) taken.add(best);
    judged.scores.push(detection.score);
    judged.hits.push(best !== undefined);
  }
}

/** Area under the precision envelope. Detections of equal score enter together, so the order of frames cannot matter. */
function averagePrecision({ truths, scores, hits }: Judged): number | null {
  if (truths === 0) return null;
  const order = scores.map((_, index) => index).toSorted((a, b) => scores[b]! - scores[a]!);
  const points: { recall: number; precision: number }[] = [];
  let found = 0;
  for (const [rank, index] of order.entries()) {
    if (hits[index]!) found++;
    const next = order[rank + 1];
    if (next !== undefined && scores[next] === scores[index]) continue;
    points.push({ recall: found / truths, precision: found / (rank + 1) });
  }
  return areaUnder(points);
}

function areaUnder(points: readonly { recall: number; precision: number }[]): number {
  let area = 0;
  let envelope = 0;
  for (let i = points.length - 1; i >= 0; i--) {
    envelope = Math.max(envelope, points[i]!.precision);
    area += (points[i]!.recall - (points[i - 1]?.recall ?? 0)) * envelope;
  }
  return area;
}

import { BOXES_PER_PICTURE_MAX, type PackageManifest, type PredictedBox } from '@edgeloop/contracts';
import type { DetectResult, Detection, Thresholds } from '@edgeloop/vision';
import { pictureFormat } from '@edgeloop/vision';
import { compareBoxes, type Deviation } from './compare-boxes.ts';
import { goldenName } from './entry-names.ts';
import { GoldenSetupError } from './errors.ts';
import { digestOf } from './digest.ts';

/** A picture of the package with the boxes that the model must find on it. */
export type Golden = PackageManifest['goldens']['vectors'][number];
/** Golden vectors a package carries: enough to notice damage, few enough to run on every start of a small node. */
export const GOLDENS_KEPT = 4;
/** Boxes below this score are not part of a golden answer. A detector that is compared must not cut above it. */
export const GOLDEN_SCORE_FLOOR = 0.25;
/** How far a score may be off on another processor. */
export const SCORE_TOLERANCE = 0.02;
/** How far a box may be off, as a fraction of the picture's side. */
export const BOX_TOLERANCE = 0.01;
const DECIMALS = 1e5;

/** The part of a `Detector` that golden vectors need. */
export interface GoldenDetector {
  readonly thresholds: Thresholds;
  detect(picture: Uint8Array): Promise<Pick<DetectResult, 'detections' | 'picture'>>;
}

export interface GoldenSet {
  readonly vectors: readonly Golden[];
  /** Bytes by name in the package. */
  readonly pictures: ReadonlyMap<string, Uint8Array>;
  /** The model saw nothing on any of them: legal, but the vectors prove little. */
  readonly blind: boolean;
}

export interface GoldenVerdict {
  readonly passed: boolean;
  /** The largest differences over all pictures; infinite where a box is missing or too many. */
  readonly largest: Deviation;
  /** One sentence for each picture that failed. */
  readonly failures: readonly string[];
}

/**
 * Runs the model on the candidates and keeps those that show most: pictures on which it sees many classes, in the order given.
 * @throws GoldenSetupError
 */
export async function makeGoldens(detector: GoldenDetector, candidates: readonly Uint8Array[]): Promise<GoldenSet> {
  assertFloor(detector);
  const tried: { bytes: Uint8Array; expected: PredictedBox[]; classes: number }[] = [];
  for (const bytes of candidates) {
    const expected = answerOf(await detector.detect(bytes));
    tried.push({ bytes, expected, classes: new Set(expected.map((box) => box.classId)).size });
  }
  const kept = tried.toSorted((left, right) => right.classes - left.classes).slice(0, GOLDENS_KEPT);
  if (kept.length === 0) throw new GoldenSetupError('golden vectors need at least one picture');
  const vectors = kept.map(({ bytes, expected }, index) => ({
    picture: goldenName(index, pictureFormat(bytes) ?? 'jpeg'),
    pictureDigest: digestOf(bytes),
    expected,
  }));
  const pictures = vectors.map((vector, index) => [vector.picture, (kept[index] as { bytes: Uint8Array }).bytes] as const);
  return { vectors, pictures: new Map(pictures), blind: kept.every(({ expected }) => expected.length === 0) };
}

export interface GoldenQuestion {
  readonly scoreTolerance: number;
  readonly boxTolerance: number;
  readonly vectors: readonly Golden[];
}

/**
 * Does this detector, on this machine, answer as the packager's did? `readPicture` gives the bytes of a picture by its name in
 * the manifest.
 * @throws GoldenSetupError, and whatever the detector or `readPicture` throws
 */
export async function checkGoldens(
  detector: GoldenDetector,
  goldens: GoldenQuestion,
  readPicture: (name: string) => Promise<Uint8Array>,
): Promise<GoldenVerdict> {
  assertFloor(detector);
  const failures: string[] = [];
  let largest: Deviation = { score: 0, box: 0 };
  for (const vector of goldens.vectors) {
    const answer = answerOf(await detector.detect(await readPicture(vector.picture)));
    const tolerance = { score: goldens.scoreTolerance, box: goldens.boxTolerance, scoreFloor: GOLDEN_SCORE_FLOOR };
    const compared = compareBoxes(vector.expected, answer, tolerance);
    largest = { score: Math.max(largest.score, compared.largest.score), box: Math.max(largest.box, compared.largest.box) };
    if (compared.difference !== undefined) failures.push(`${vector.picture}: ${compared.difference}`);
  }
  return { passed: failures.length === 0, largest, failures };
}

function assertFloor({ thresholds }: GoldenDetector): void {
  const highest = typeof thresholds.score === 'number' ? thresholds.score : Math.max(...thresholds.score);
  if (highest > GOLDEN_SCORE_FLOOR)
    throw new GoldenSetupError(`load the detector with score thresholds of at most ${GOLDEN_SCORE_FLOOR}, not ${highest}`);
}

function answerOf({ detections, picture }: Pick<DetectResult, 'detections' | 'picture'>): PredictedBox[] {
  return detections
    .filter((detection) => detection.score >= GOLDEN_SCORE_FLOOR)
    .slice(0, BOXES_PER_PICTURE_MAX)
    .map((detection) => fractionsOf(detection, picture));
}

function fractionsOf({ classId, score, x1, y1, x2, y2 }: Detection, { width, height }: { width: number; height: number }): PredictedBox {
  return {
    classId,
    cx: rounded((x1 + x2) / 2 / width),
    cy: rounded((y1 + y2) / 2 / height),
    w: Math.max(1 / DECIMALS, rounded((x2 - x1) / width)),
    h: Math.max(1 / DECIMALS, rounded((y2 - y1) / height)),
    score: rounded(score),
  };
}

function rounded(value: number): number {
  return Math.min(1, Math.max(0, Math.round(value * DECIMALS) / DECIMALS));
}

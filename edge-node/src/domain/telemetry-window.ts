import { HISTOGRAM_BINS } from '@edgeloop/contracts';
import type { TelemetryWindow } from '@edgeloop/contracts';

/** One looked-at frame, as the statistics want it. */
export interface SeenFrame {
  readonly latencyMs: number;
  readonly brightness: number;
  readonly sharpness: number;
  /** Class of each detection at or above its alarm threshold. */
  readonly detections: readonly { readonly classId: number }[];
  /** Best raw score per class, alarm or not; 0 where there was no candidate. */
  readonly bestScorePerClass: readonly number[];
}

/** The weights that a window is about; another model begins another window. */
export interface WindowModel {
  readonly releaseId: string | null;
  readonly modelDigest: string | null;
}

interface ClassCounts {
  readonly detections: number;
  readonly histogram: readonly number[];
}

export interface OpenWindow {
  readonly fromMs: number;
  readonly model: WindowModel;
  readonly frames: number;
  readonly emptyFrames: number;
  readonly inferenceErrors: number;
  readonly latenciesMs: readonly number[];
  readonly brightness: { readonly sum: number; readonly min: number; readonly max: number };
  readonly sharpnessSum: number;
  readonly classes: Readonly<Record<number, ClassCounts>>;
}

/** Latencies kept per window; a longer window keeps the newest. */
export const LATENCIES_MAX = 600;

export function openWindow(fromMs: number, model: WindowModel): OpenWindow {
  return {
    fromMs,
    model,
    frames: 0,
    emptyFrames: 0,
    inferenceErrors: 0,
    latenciesMs: [],
    brightness: { sum: 0, min: 0, max: 0 },
    sharpnessSum: 0,
    classes: {},
  };
}

export function addFrame(window: OpenWindow, frame: SeenFrame): OpenWindow {
  const { brightness } = window;
  const first = window.frames === 0;
  return {
    ...window,
    frames: window.frames + 1,
    emptyFrames: window.emptyFrames + (frame.detections.length === 0 ? 1 : 0),
    latenciesMs: [...window.latenciesMs, frame.latencyMs].slice(-LATENCIES_MAX),
    brightness: {
      sum: brightness.sum + frame.brightness,
      min: first ? frame.brightness : Math.min(brightness.min, frame.brightness),
      max: first ? frame.brightness : Math.max(brightness.max, frame.brightness),
    },
    sharpnessSum: window.sharpnessSum + frame.sharpness,
    classes: addClasses(window.classes, frame),
  };
}

export function addError(window: OpenWindow): OpenWindow {
  return { ...window, inferenceErrors: window.inferenceErrors + 1 };
}

export function isAbout(window: OpenWindow, model: WindowModel): boolean {
  return window.model.modelDigest === model.modelDigest && window.model.releaseId === model.releaseId;
}

type Closed = Omit<TelemetryWindow, 'nodeId' | 'epoch' | 'sequence' | 'from' | 'to'>;

/** What travels; undefined when nothing happened in the window. */
export function closeWindow(window: OpenWindow, toMs: number): Closed | undefined {
  const { frames, inferenceErrors, brightness } = window;
  if (frames === 0 && inferenceErrors === 0) return undefined;
  const seconds = Math.max(0, toMs - window.fromMs) / 1_000;
  const mean = (sum: number): number => (frames === 0 ? 0 : sum / frames);
  return {
    ...window.model,
    frames,
    emptyFrames: window.emptyFrames,
    framesPerSecond: seconds > 0 ? frames / seconds : 0,
    inferenceErrors,
    latencyMs: { p50: percentile(window.latenciesMs, 0.5), p95: percentile(window.latenciesMs, 0.95) },
    brightness: { mean: mean(brightness.sum), min: brightness.min, max: brightness.max },
    sharpness: { mean: mean(window.sharpnessSum) },
    classes: Object.entries(window.classes).map(([classId, counts]) => ({
      classId: Number(classId),
      detections: counts.detections,
      scoreHistogram: [...counts.histogram],
    })),
  };
}

/** Nearest rank; 0 of nothing. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return 0;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function addClasses(classes: OpenWindow['classes'], frame: SeenFrame): OpenWindow['classes'] {
  const next: Record<number, ClassCounts> = { ...classes };
  for (const [classId, score] of frame.bestScorePerClass.entries()) {
    if (score > 0) next[classId] = withScore(next[classId] ?? NO_COUNTS, score);
  }
  for (const { classId } of frame.detections) {
    const counts = next[classId] ?? NO_COUNTS;
    next[classId] = { ...counts, detections: counts.detections + 1 };
  }
  return next;
}

const NO_COUNTS: ClassCounts = { detections: 0, histogram: Array.from({ length: HISTOGRAM_BINS }, () => 0) };

function withScore(counts: ClassCounts, score: number): ClassCounts {
  const bin = Math.min(HISTOGRAM_BINS - 1, Math.floor(score * HISTOGRAM_BINS));
  return { ...counts, histogram: counts.histogram.with(bin, (counts.histogram[bin] ?? 0) + 1) };
}

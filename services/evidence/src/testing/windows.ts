import { HISTOGRAM_BINS, type TelemetryWindow } from '@edgeloop/contracts';

/** A look of the scene, as the numbers of a window. */
export interface Scene {
  readonly brightness?: number;
  readonly sharpness?: number;
  readonly perFrame?: number;
  readonly score?: number;
  readonly frames?: number;
  readonly empty?: number;
  readonly releaseId?: string | null;
  readonly epoch?: string;
}

export const DAY: Scene = { brightness: 0.52, sharpness: 0.02, perFrame: 3, score: 0.8 };
export const NIGHT: Scene = { brightness: 0.15, sharpness: 0.004, perFrame: 0.8, score: 0.45 };

const BEGIN_MS = Date.UTC(2026, 0, 1);
const WINDOW_MS = 2_000;

export function windowOf(sequence: number, scene: Scene = DAY): TelemetryWindow {
  const frames = scene.frames ?? 10;
  const score = scene.score ?? 0.8;
  const detections = Math.round((scene.perFrame ?? 3) * frames);
  const scoreHistogram = Array.from({ length: HISTOGRAM_BINS }, (_, bin) =>
    bin === Math.min(HISTOGRAM_BINS - 1, Math.floor(score * HISTOGRAM_BINS)) ? detections : 0,
  );
  const brightness = scene.brightness ?? 0.52;
  return {
    nodeId: 'n1',
    epoch: scene.epoch ?? 'epoch-0001',
    sequence,
    from: new Date(BEGIN_MS + sequence * WINDOW_MS).toISOString(),
    to: new Date(BEGIN_MS + (sequence + 1) * WINDOW_MS).toISOString(),
    releaseId: scene.releaseId === undefined ? 'm-v1' : scene.releaseId,
    modelDigest: null,
    frames,
    emptyFrames: scene.empty ?? 0,
    framesPerSecond: frames / 2,
    inferenceErrors: 0,
    latencyMs: { p50: 20, p95: 30 },
    brightness: { mean: brightness, min: brightness, max: brightness },
    sharpness: { mean: scene.sharpness ?? 0.02 },
    classes: [{ classId: 0, detections, scoreHistogram }],
  };
}

/** Windows of one scene, numbered on from `first`. */
export function windowsOf(first: number, count: number, scene: Scene = DAY): TelemetryWindow[] {
  return Array.from({ length: count }, (_, index) => windowOf(first + index, scene));
}

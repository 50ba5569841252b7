import type { NodeDrifted, PayloadOf, TelemetryWindow } from '@edgeloop/contracts';

export type MeasureName = PayloadOf<typeof NodeDrifted>['measures'][number]['measure'];

export const MEASURES: readonly MeasureName[] = ['detections-per-frame', 'mean-score', 'brightness', 'sharpness', 'empty-share'];

/** A measure that a window cannot tell (no detection, no score) is missing. */
export type Measures = Readonly<Partial<Record<MeasureName, number>>>;

/** What one window says, each frame counting the same; undefined when it saw no frame. */
export function measuresOf(window: TelemetryWindow): Measures | undefined {
  if (window.frames === 0) return undefined;
  const score = meanScore(window);
  return {
    'detections-per-frame': detectionsOf(window) / window.frames,
    ...(score === undefined ? {} : { 'mean-score': score }),
    brightness: window.brightness.mean,
    sharpness: window.sharpness.mean,
    'empty-share': window.emptyFrames / window.frames,
  };
}

/** Of all classes together. */
export function detectionsOf(window: TelemetryWindow): number {
  return window.classes.reduce((sum, one) => sum + one.detections, 0);
}

/** Mean of the score histograms of all classes, by the middle of each bin. */
function meanScore(window: TelemetryWindow): number | undefined {
  let count = 0;
  let sum = 0;
  for (const { scoreHistogram } of window.classes) {
    scoreHistogram.forEach((inBin, bin) => {
      count += inBin;
      sum += (inBin * (bin + 0.5)) / scoreHistogram.length;
    });
  }
  return count === 0 ? undefined : sum / count;
}

/** Mean of each measure over the windows that have it. */
export function meanOf(windows: readonly Measures[]): Measures {
  const means: Partial<Record<MeasureName, number>> = {};
  for (const measure of MEASURES) {
    const values = windows.flatMap((window) => window[measure] ?? []);
    if (values.length > 0) means[measure] = values.reduce((sum, value) => sum + value, 0) / values.length;
  }
  return means;
}

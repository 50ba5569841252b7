import { MEASURES, type MeasureName, type Measures } from './measures.ts';

/** Running mean and sum of squared deviations (Welford), so that a baseline needs no window kept. */
export interface Running {
  readonly count: number;
  readonly mean: number;
  readonly squares: number;
}

/** What a node looks like under one release, learned from its first windows there. */
export interface Baseline {
  readonly releaseId: string;
  readonly windows: number;
  readonly measures: Readonly<Partial<Record<MeasureName, Running>>>;
}

export interface Distance {
  readonly measure: MeasureName;
  readonly baseline: number;
  readonly spread: number;
  readonly now: number;
  /** In spreads; never negative. */
  readonly distance: number;
}

/**
 * Least spread of a measure: an absolute one, and a share of the mean. A quiet night-time camera would otherwise call every passer-by a
 * drift, since its windows hardly differ. Units are the measure's own.
 */
export const SPREAD_FLOORS: Readonly<Record<MeasureName, { readonly absolute: number; readonly share: number }>> = {
  'detections-per-frame': { absolute: 0.25, share: 0.15 },
  'mean-score': { absolute: 0.04, share: 0 },
  brightness: { absolute: 0.04, share: 0 },
  sharpness: { absolute: 1e-4, share: 0.18 },
  'empty-share': { absolute: 0.12, share: 0 },
};

export function emptyBaseline(releaseId: string): Baseline {
  return { releaseId, windows: 0, measures: {} };
}

export function learn(baseline: Baseline, window: Measures): Baseline {
  const measures = { ...baseline.measures };
  for (const measure of MEASURES) {
    const value = window[measure];
    if (value !== undefined) measures[measure] = add(measures[measure], value);
  }
  return { ...baseline, windows: baseline.windows + 1, measures };
}

function add(running: Running = { count: 0, mean: 0, squares: 0 }, value: number): Running {
  const count = running.count + 1;
  const mean = running.mean + (value - running.mean) / count;
  return { count, mean, squares: running.squares + (value - running.mean) * (value - mean) };
}

/** How far each measure is from what the baseline knows; measures unknown on either side say nothing. */
export function distances(baseline: Baseline, now: Measures): readonly Distance[] {
  return MEASURES.flatMap((measure) => {
    const known = baseline.measures[measure];
    const value = now[measure];
    if (known === undefined || value === undefined) return [];
    const spread = spreadOf(measure, known);
    return [{ measure, baseline: known.mean, spread, now: value, distance: Math.abs(value - known.mean) / spread }];
  });
}

export function spreadOf(measure: MeasureName, running: Running): number {
  const floor = SPREAD_FLOORS[measure];
  const deviation = running.count < 2 ? 0 : Math.sqrt(running.squares / (running.count - 1));
  return Math.max(deviation, floor.absolute, floor.share * Math.abs(running.mean));
}

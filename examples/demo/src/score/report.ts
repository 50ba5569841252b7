import type { GateVerdict } from '@edgeloop/contracts';
import type { LightScores } from './field-score.ts';

export interface ScoredRelease extends LightScores {
  readonly version: string;
  readonly digest: string;
}

export interface RoundReport {
  readonly trigger: string;
  readonly labels: number;
  readonly trainSeconds: number;
  readonly incumbent: ScoredRelease;
  /** Null where the gate refused it: it was never released. */
  readonly candidate: ScoredRelease | null;
  readonly gate: GateVerdict | null;
  readonly rollout: {
    readonly waves: readonly { readonly nodes: readonly string[]; readonly running: number; readonly failed: number }[];
    readonly halted: boolean;
  };
}

export interface SampleReport {
  readonly accepted: number;
  readonly lost: number;
  readonly doubled: number;
  readonly redelivered: number;
  readonly quarantined: number;
}

/** Every run that passed its gate is one release, and every release one set of bytes. */
export interface ReleaseReport {
  readonly published: number;
  readonly lost: number;
  readonly doubled: number;
}

/** `report.json`: mAP50 throughout, on frames that were never collected. */
export interface TurnReport {
  readonly rounds: readonly RoundReport[];
  readonly samples: SampleReport;
  readonly releases: ReleaseReport;
  readonly nodes: readonly { readonly id: string; readonly running: string | null; readonly frames: number }[];
  readonly seconds: { readonly setup: number; readonly total: number; readonly perArrow: Readonly<Record<string, number>> };
  readonly frames: { readonly day: number; readonly night: number };
  readonly seed: number;
  readonly better: { readonly verdict: boolean; readonly reasons: readonly string[] };
  readonly chaos: { readonly killed: readonly { readonly name: string; readonly atSecond: number }[] } | null;
}

/** What "really better" means: the dark grew by this, the day fell by no more than that. */
export const GAIN_MIN = 0.05;
export const FALL_MAX = 0.06;

const shown = (value: number | null): string => (value === null ? 'no box' : value.toFixed(3));

export interface Kept {
  readonly samples: SampleReport;
  readonly releases: ReleaseReport;
  /** Things were killed: something must have been delivered again. */
  readonly chaos: boolean;
}

/** Judges the last model against the first by the light that drifted and by the day, and the loop by what it kept. */
export function judgeTurn(first: LightScores, last: LightScores, { samples, releases, chaos }: Kept): TurnReport['better'] {
  const reasons: string[] = [];
  const gain = first.night === null || last.night === null ? null : last.night - first.night;
  const fall = first.day === null || last.day === null ? null : first.day - last.day;
  reasons.push(
    `night ${shown(first.night)} → ${shown(last.night)}${gain !== null && gain >= GAIN_MIN ? '' : `: a gain of ${GAIN_MIN} is asked`}`,
  );
  reasons.push(
    `day ${shown(first.day)} → ${shown(last.day)}${fall !== null && fall <= FALL_MAX ? '' : `: at most ${FALL_MAX} may be lost`}`,
  );
  const whole = [samples, releases].every(({ lost, doubled }) => lost === 0 && doubled === 0);
  if (!whole)
    reasons.push(`${samples.lost} samples lost, ${samples.doubled} doubled; ${releases.lost} releases lost, ${releases.doubled} doubled`);
  const bit = !chaos || samples.redelivered > 0;
  if (!bit) reasons.push('chaos did not bite: nothing was ever redelivered');
  return { verdict: gain !== null && gain >= GAIN_MIN && fall !== null && fall <= FALL_MAX && whole && bit, reasons };
}

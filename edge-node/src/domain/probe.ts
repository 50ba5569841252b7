import type { Failure } from './failure.ts';
import { percentile } from './telemetry-window.ts';

/** What live frames say about a model. */
export interface ModelEvidence {
  readonly answered: number;
  /** Failed inferences; pictures that nobody can read are not the model's fault and do not count. */
  readonly failed: number;
  /** Candidates with NaN, infinity or an unknown class. */
  readonly malformed: number;
  /** Frames with at least one detection at or above its alarm threshold. */
  readonly seeing: number;
  /** Of the newest frames, at most `EVIDENCE_FRAMES_MAX`. */
  readonly latenciesMs: readonly number[];
  readonly seeingRecent: readonly boolean[];
}

/** Newest frames of a model whose latency and sight are compared. */
export const EVIDENCE_FRAMES_MAX = 200;
export const NO_EVIDENCE: ModelEvidence = { answered: 0, failed: 0, malformed: 0, seeing: 0, latenciesMs: [], seeingRecent: [] };

export interface AnsweredFrame {
  readonly latencyMs: number;
  readonly alarms: number;
  readonly malformed: number;
}

export function withAnswer(evidence: ModelEvidence, frame: AnsweredFrame): ModelEvidence {
  return {
    ...evidence,
    answered: evidence.answered + 1,
    malformed: evidence.malformed + frame.malformed,
    seeing: evidence.seeing + (frame.alarms > 0 ? 1 : 0),
    latenciesMs: [...evidence.latenciesMs, frame.latencyMs].slice(-EVIDENCE_FRAMES_MAX),
    seeingRecent: [...evidence.seeingRecent, frame.alarms > 0].slice(-EVIDENCE_FRAMES_MAX),
  };
}

export function withFailure(evidence: ModelEvidence): ModelEvidence {
  return { ...evidence, failed: evidence.failed + 1 };
}

export interface ProbeLimits {
  /** Answered frames before a trial can be proven. */
  readonly framesMin: number;
  /** And time. */
  readonly durationMinMs: number;
  readonly failuresMax: number;
  /** Median latency may be this much of the proven model's on the same node. */
  readonly latencyTimesMax: number;
  /** Below this a median is never too slow, whatever the proven model took. */
  readonly latencyAlwaysGoodMs: number;
}

export interface Trial {
  readonly trial: ModelEvidence;
  /** The proven model on the frames just before; undefined where there was none. */
  readonly incumbent: ModelEvidence | undefined;
  readonly elapsedMs: number;
}

/** An incumbent that was seen on fewer frames says nothing about what there is to see. */
export const INCUMBENT_FRAMES_MIN = 30;
/** A trial is blind when seeing nothing so often would be rarer than this, had it the incumbent's eyes. */
export const BLIND_CHANCE_MAX = 1e-6;

/** Undefined: go on watching. */
export function judgeProbe(found: Trial, limits: ProbeLimits): 'passed' | Failure | undefined {
  const { trial, incumbent, elapsedMs } = found;
  if (trial.malformed > 0) return final('probe-not-finite', `${trial.malformed} outputs are no numbers`);
  if (trial.failed > limits.failuresMax)
    return final('probe-errors', `${trial.failed} of ${trial.failed + trial.answered} inferences failed`);
  if (trial.answered < limits.framesMin || elapsedMs < limits.durationMinMs) return undefined;
  return tooSlow(trial, incumbent, limits) ?? blind(trial, incumbent) ?? 'passed';
}

function tooSlow(trial: ModelEvidence, incumbent: ModelEvidence | undefined, limits: ProbeLimits): Failure | undefined {
  if (incumbent === undefined || incumbent.answered < INCUMBENT_FRAMES_MIN) return undefined;
  const took = percentile(trial.latenciesMs, 0.5);
  const before = percentile(incumbent.latenciesMs, 0.5);
  if (took <= limits.latencyAlwaysGoodMs || took <= before * limits.latencyTimesMax) return undefined;
  return final('probe-latency', `a frame takes ${took.toFixed(0)} ms, it took ${before.toFixed(0)} ms before`);
}

function blind(trial: ModelEvidence, incumbent: ModelEvidence | undefined): Failure | undefined {
  if (trial.seeing > 0 || incumbent === undefined || incumbent.seeingRecent.length < INCUMBENT_FRAMES_MIN) return undefined;
  const share = incumbent.seeingRecent.filter(Boolean).length / incumbent.seeingRecent.length;
  if ((1 - share) ** trial.answered >= BLIND_CHANCE_MAX) return undefined;
  return final(
    'sees-nothing',
    `it saw nothing on ${trial.answered} frames; the model before saw something on ${Math.round(share * 100)} % of its last`,
  );
}

function final(reason: Failure['reason'], detail: string): Failure {
  return { reason, detail, severity: 'final' };
}

import { createHash } from 'node:crypto';
import type { Desired, PredictedBox, RunningModel } from '@edgeloop/contracts';
import { BOXES_PER_PICTURE_MAX } from '@edgeloop/contracts';
import { isoOf } from '@edgeloop/runtime';
import type { Logger } from '@edgeloop/runtime';
import { sampleValue } from '../domain/sample-value.ts';
import { bandsOf, countKept, decideSample, limiterFor } from '../domain/sampling.ts';
import type { Collecting, FrameFacts, LimiterState, SampleDecision, ScoreRange } from '../domain/sampling.ts';
import type { NewSample } from '../domain/spooled-sample.ts';
import { FrameFailedError } from '../inference/errors.ts';
import type { Inference } from '../inference/generation.ts';
import type { FrameOutcome } from '../inference/pipeline.ts';
import type { Frame, SampleKeeper } from '../ports.ts';
import type { Grants } from './grants.ts';
import type { LoadedRelease } from './models.ts';
import type { ProbeDesk } from './probe-desk.ts';
import type { TelemetryDesk } from './telemetry-desk.ts';

export interface FrameDeskParts {
  /** What is to be collected; undefined before the first sync. */
  readonly desired: () => Desired | null;
  readonly spool: SampleKeeper;
  /** What the spool remembers of a campaign's limits. */
  readonly recall: (collecting: Collecting) => LimiterState;
  readonly rights: Pick<Grants, 'samplesLeft' | 'forget'>;
  readonly telemetry: TelemetryDesk;
  readonly probe: ProbeDesk;
  /** A frame was kept. */
  readonly onKept: () => void;
  readonly onAnswered: () => void;
  readonly monotonicMs: () => number;
  readonly chance: () => number;
  readonly log: Logger;
}

/** Pictures that nobody can read are the camera's fault, not the model's. */
const PICTURE_FAULTS = new Set(['UnreadablePictureError', 'PictureTooLargeError']);

type Kept = Extract<SampleDecision, { keep: true }>;

/** What happens to every answered frame: it is counted, it is evidence in a trial, and it may be kept. */
export class FrameDesk {
  readonly #parts: FrameDeskParts;
  #limiter: LimiterState | undefined;
  #framesTotal = 0;
  #inferenceErrors = 0;
  #lastAnswerMs: number | undefined;

  constructor(parts: FrameDeskParts) {
    this.#parts = parts;
  }

  get counts(): { framesTotal: number; inferenceErrors: number; lastInferenceAgoMs: number | null } {
    const ago = this.#lastAnswerMs === undefined ? null : this.#parts.monotonicMs() - this.#lastAnswerMs;
    return { framesTotal: this.#framesTotal, inferenceErrors: this.#inferenceErrors, lastInferenceAgoMs: ago };
  }

  /** Score ranges that the policy of now wants candidates counted in. */
  bands(): readonly ScoreRange[] {
    const policy = this.#parts.desired()?.policy;
    return policy === undefined ? [] : bandsOf(policy);
  }

  /** `model`: the one that answered, or that serves when none did. */
  take(outcome: FrameOutcome, model: LoadedRelease | undefined): void {
    if (outcome.ok) this.#answered(outcome.frame, outcome.inference, model);
    else this.#failed(outcome.error, model);
  }

  #answered(frame: Frame, inference: Inference, model: LoadedRelease | undefined): void {
    this.#framesTotal += 1;
    this.#lastAnswerMs = this.#parts.monotonicMs();
    const alarms = inference.boxes.filter((box) => box.alarm);
    const { candidates, latencyMs, stats } = inference;
    if (model !== undefined) {
      this.#parts.probe.answered(model.release.packageDigest, { latencyMs, alarms: alarms.length, malformed: candidates.malformed });
    }
    this.#parts.telemetry.answered(model?.running ?? null, {
      latencyMs,
      brightness: stats.brightness,
      sharpness: stats.sharpness,
      detections: alarms,
      bestScorePerClass: candidates.maxScorePerClass,
    });
    this.#consider(frame, inference, { alarms: alarms.length, running: model?.running ?? null });
    this.#parts.onAnswered();
  }

  #failed(error: Error, model: LoadedRelease | undefined): void {
    if (error instanceof FrameFailedError && PICTURE_FAULTS.has(error.causeName)) {
      this.#parts.log.debug({ err: error }, 'a picture could not be read');
      return;
    }
    this.#inferenceErrors += 1;
    if (model !== undefined) this.#parts.probe.failed(model.release.packageDigest);
    this.#parts.telemetry.failed(model?.running ?? null);
    this.#parts.log.warn({ err: error }, 'an inference failed');
  }

  #consider(frame: Frame, inference: Inference, seen: { alarms: number; running: RunningModel | null }): void {
    const desired = this.#parts.desired();
    if (desired === null) return;
    const { policy } = desired;
    // The policy changed while the frame was under way: its candidates were counted for another one.
    if (inference.candidates.perBand.length !== bandsOf(policy).length) return;
    const limiter = this.#limiterOf(desired);
    const facts: FrameFacts = {
      atMs: this.#parts.monotonicMs(),
      dhash: inference.stats.hash,
      brightness: inference.stats.brightness,
      alarms: seen.alarms,
      candidatesPerBand: inference.candidates.perBand,
    };
    const decision = decideSample({ policy, facts, limiter, room: this.#roomFor(desired.campaignId), chance: this.#parts.chance() });
    if (!decision.keep) return;
    const appended = this.#parts.spool.append(sampleOf({ frame, inference, desired, decision, running: seen.running }));
    if (appended !== 'kept') return;
    this.#limiter = countKept(limiter, { rule: decision.rule.name, atMs: facts.atMs, dhash: facts.dhash });
    this.#parts.onKept();
  }

  #limiterOf(desired: Desired): LimiterState {
    const { campaignId, policy } = desired;
    const known = this.#limiter?.campaignId === campaignId ? this.#limiter : this.#parts.recall(desired);
    // The campaign was announced anew: what the collector has said of its budget may not hold any more.
    if (known.version !== policy.version) this.#parts.rights.forget(campaignId);
    this.#limiter = limiterFor(desired, known);
    return this.#limiter;
  }

  #roomFor(campaignId: string): number | null {
    const left = this.#parts.rights.samplesLeft(campaignId);
    return left === null ? null : left - this.#parts.spool.waiting(campaignId);
  }
}

interface ToKeep {
  readonly frame: Frame;
  readonly inference: Inference;
  readonly desired: Desired;
  readonly decision: Kept;
  readonly running: RunningModel | null;
}

function sampleOf({ frame, inference, desired, decision, running }: ToKeep): NewSample {
  const { rule, inclusionProbability } = decision;
  const { policy, campaignId } = desired;
  const { stats, picture } = inference;
  return {
    picture: frame.jpeg,
    value: sampleValue(rule.kind, inclusionProbability),
    keptAtMs: frame.capturedAtMs,
    facts: {
      sampleId: createHash('sha256').update(frame.jpeg).digest('hex'),
      campaignId,
      capturedAt: isoOf(frame.capturedAtMs),
      picture: { ...picture, brightness: clamped(stats.brightness), sharpness: stats.sharpness, dhash: stats.hash },
      model: running,
      why: { policyId: policy.policyId, policyVersion: policy.version, rule: rule.name, inclusionProbability },
      predictions: inference.boxes.filter(hasArea).slice(0, BOXES_PER_PICTURE_MAX).map(predicted),
    },
  };
}

function hasArea(box: PredictedBox): boolean {
  return box.w > 0 && box.h > 0;
}

function predicted({ classId, cx, cy, w, h, score }: PredictedBox): PredictedBox {
  return { classId, cx: clamped(cx), cy: clamped(cy), w: clamped(w), h: clamped(h), score: clamped(score) };
}

function clamped(value: number): number {
  return Math.min(1, Math.max(0, value));
}

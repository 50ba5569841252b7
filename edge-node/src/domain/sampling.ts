import type { SamplingPolicy, SamplingRule } from '@edgeloop/contracts';
import { hashDistance } from './hash-distance.ts';

/** What the policy judges a frame by. */
export interface FrameFacts {
  /** Monotonic milliseconds. */
  readonly atMs: number;
  /** 64-bit difference hash, 16 hex digits. */
  readonly dhash: string;
  /** Mean luma 0..1. */
  readonly brightness: number;
  /** Detections at or above the alarm threshold. */
  readonly alarms: number;
  /** Raw candidates (before suppression) within each band of `bandsOf(policy)`, in that order. */
  readonly candidatesPerBand: readonly number[];
}

/** What is to be collected, and for what: the part of a desired state that says so. */
export interface Collecting {
  readonly campaignId: string;
  readonly policy: SamplingPolicy;
}

/** What was kept for one campaign, under whatever versions of its policy. */
export interface LimiterState {
  readonly campaignId: string;
  readonly policyId: string;
  /** Of the policy as last seen. */
  readonly version: number;
  readonly kept: number;
  /** Newest last; of the last minute only. */
  readonly recent: readonly { readonly rule: string; readonly atMs: number }[];
  /** Newest last, at most `HASHES_MAX`. */
  readonly hashes: readonly string[];
}

export type SampleDecision =
  | { readonly keep: true; readonly rule: SamplingRule; readonly inclusionProbability: number }
  | {
      readonly keep: false;
      readonly why: 'no-rule-matched' | 'rate-limit' | 'samples-max' | 'collector-has-enough' | 'near-duplicate' | 'chance';
    };

/** The minute of `perMinuteMax`. */
export const RATE_WINDOW_MS = 60_000;
/** Kept pictures that a new one is compared with: an hour at the rates that policies have. */
export const HASHES_MAX = 256;

export interface ScoreRange {
  readonly low: number;
  readonly high: number;
}

/** The score ranges that the model process must count raw candidates in: one per `uncertain` rule. */
export function bandsOf(policy: SamplingPolicy): readonly ScoreRange[] {
  return policy.rules.flatMap((rule) => (rule.kind === 'uncertain' ? [{ low: rule.low, high: rule.high }] : []));
}

export function emptyLimiter({ campaignId, policy }: Collecting): LimiterState {
  return { campaignId, policyId: policy.policyId, version: policy.version, kept: 0, recent: [], hashes: [] };
}

/**
 * The state that counts now. A campaign is announced anew under a higher version whenever it changes: its budget and rates go on. Another
 * campaign starts with its own, but still knows what was kept before under the same policy.
 */
export function limiterFor(collecting: Collecting, state: LimiterState | undefined): LimiterState {
  const { campaignId, policy } = collecting;
  const { policyId, version } = policy;
  if (state?.campaignId !== campaignId) return { ...emptyLimiter(collecting), hashes: state?.policyId === policyId ? state.hashes : [] };
  return state.policyId === policyId && state.version === version ? state : { ...state, policyId, version };
}

interface Question {
  readonly policy: SamplingPolicy;
  readonly facts: FrameFacts;
  readonly limiter: LimiterState;
  /** Frames that the collector takes beside those that wait for their upload; null while it names no end. */
  readonly room: number | null;
  /** In [0, 1). */
  readonly chance: number;
}

/** Rules are tried in order; the first that matches and is within its limit decides. */
export function decideSample({ policy, facts, limiter, room, chance }: Question): SampleDecision {
  if (policy.samplesMax !== null && limiter.kept >= policy.samplesMax) return { keep: false, why: 'samples-max' };
  if (room !== null && room <= 0) return { keep: false, why: 'collector-has-enough' };
  const matching = policy.rules.filter((rule, index) => matches(rule, facts, bandIndex(policy, index)));
  if (matching.length === 0) return { keep: false, why: 'no-rule-matched' };
  const rule = matching.find((candidate) => withinRate(candidate, limiter, facts.atMs));
  if (rule === undefined) return { keep: false, why: 'rate-limit' };
  if (isNearDuplicate(facts.dhash, limiter.hashes, policy.nearDuplicateBits)) return { keep: false, why: 'near-duplicate' };
  return chance < rule.probability ? { keep: true, rule, inclusionProbability: rule.probability } : { keep: false, why: 'chance' };
}

/** After the spool has it. */
export function countKept(
  limiter: LimiterState,
  kept: { readonly rule: string; readonly atMs: number; readonly dhash: string },
): LimiterState {
  return {
    ...limiter,
    kept: limiter.kept + 1,
    recent: [...limiter.recent.filter(({ atMs }) => kept.atMs - atMs < RATE_WINDOW_MS), { rule: kept.rule, atMs: kept.atMs }],
    hashes: [...limiter.hashes, kept.dhash].slice(-HASHES_MAX),
  };
}

function matches(rule: SamplingRule, facts: FrameFacts, band: number): boolean {
  switch (rule.kind) {
    case 'uncertain':
      return (facts.candidatesPerBand[band] ?? 0) > 0;
    case 'empty':
      return facts.alarms === 0;
    case 'dark':
      return facts.brightness < rule.brightnessBelow;
    case 'random':
      return true;
    default:
      return rule satisfies never;
  }
}

function bandIndex(policy: SamplingPolicy, ruleIndex: number): number {
  return policy.rules.slice(0, ruleIndex).filter((rule) => rule.kind === 'uncertain').length;
}

function withinRate(rule: SamplingRule, { recent }: LimiterState, atMs: number): boolean {
  const inWindow = recent.filter((kept) => kept.rule === rule.name && atMs - kept.atMs < RATE_WINDOW_MS);
  return inWindow.length < rule.perMinuteMax;
}

function isNearDuplicate(dhash: string, hashes: readonly string[], bits: number): boolean {
  return bits > 0 && hashes.some((kept) => hashDistance(kept, dhash) < bits);
}

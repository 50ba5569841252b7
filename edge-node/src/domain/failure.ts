/** Machine-readable causes of a bad outcome, as they stand in reports. */
export type FailureReason =
  | 'metadata-invalid'
  | 'metadata-missing'
  | 'target-unknown'
  | 'target-mismatch'
  | 'clock-suspect'
  | 'unreachable'
  | 'too-slow'
  | 'not-our-content'
  | 'digest-mismatch'
  | 'package-invalid'
  | 'model-mismatch'
  | 'no-space'
  | 'read-only'
  | 'io-error'
  | 'load-failed'
  | 'golden-mismatch'
  | 'generation-died'
  | 'probe-errors'
  | 'probe-latency'
  | 'probe-blind'
  | 'probe-not-finite'
  | 'trial-crash'
  | 'loop-breaker'
  | 'superseded'
  | 'internal-error'
  | `${string}-timeout`;

/**
 * - `wait`: something outside the node is away; tried again after a pause without counting as an attempt.
 * - `retry`: may succeed when tried again; counts as an attempt.
 * - `final`: the same input will always fail.
 */
export type FailureSeverity = 'wait' | 'retry' | 'final';

export interface Failure {
  readonly reason: FailureReason;
  /** For people; at most `DETAIL_MAX` characters travel. */
  readonly detail: string;
  readonly severity: FailureSeverity;
}

export const DETAIL_MAX = 2_000;

/** Causes that say: this package is not what was signed. Nothing was tried with it. */
const REJECTIONS: ReadonlySet<string> = new Set([
  'metadata-invalid',
  'target-unknown',
  'target-mismatch',
  'digest-mismatch',
  'not-our-content',
  'package-invalid',
  'model-mismatch',
]);

export function isRejection(reason: FailureReason): boolean {
  return REJECTIONS.has(reason);
}

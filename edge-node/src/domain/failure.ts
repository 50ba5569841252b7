/** Machine-readable causes of a bad outcome, as they stand in reports. Those of the trust library keep its codes. */
export type FailureReason =
  | 'metadata-expired'
  | 'metadata-rollback'
  | 'metadata-signature'
  | 'metadata-mismatch'
  | 'metadata-unreadable'
  | 'metadata-too-large'
  | 'metadata-too-slow'
  | 'metadata-unavailable'
  | 'metadata-persist'
  | 'target-unknown'
  | 'target-digest'
  | 'target-mismatch'
  | 'shipped-root'
  | 'clock-suspect'
  | 'unreachable'
  | 'too-slow'
  | 'not-our-content'
  | 'digest-mismatch'
  | 'package-invalid'
  | 'model-mismatch'
  | 'slot-damaged'
  | 'no-space'
  | 'read-only'
  | 'io-error'
  | 'load-failed'
  | 'golden-mismatch'
  | 'self-test-failed'
  | 'generation-died'
  | 'probe-errors'
  | 'probe-latency'
  | 'sees-nothing'
  | 'probe-not-finite'
  | 'probe-timeout'
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

/** Characters; the contract of `node.report` takes no more. */
export const DETAIL_MAX = 2_000;

/** Causes that say: this package is not what was signed. Nothing was tried with it. */
const REJECTIONS: ReadonlySet<FailureReason> = new Set<FailureReason>([
  'metadata-rollback',
  'metadata-signature',
  'metadata-mismatch',
  'metadata-unreadable',
  'metadata-too-large',
  'target-unknown',
  'target-digest',
  'target-mismatch',
  'shipped-root',
  'digest-mismatch',
  'not-our-content',
  'package-invalid',
  'model-mismatch',
]);

export function isRejection(reason: FailureReason): boolean {
  return REJECTIONS.has(reason);
}

/** How a step says that it failed; what else it throws is `internal-error`. */
export class StepFailedError extends Error implements Failure {
  override readonly name = 'StepFailedError';
  readonly reason: FailureReason;
  readonly detail: string;
  readonly severity: FailureSeverity;
  constructor(failure: Failure, options?: ErrorOptions) {
    super(`${failure.reason}: ${failure.detail}`, options);
    this.reason = failure.reason;
    this.detail = failure.detail;
    this.severity = failure.severity;
  }

  get retryable(): boolean {
    return this.severity !== 'final';
  }
}

import { TrustError } from '@edgeloop/trust';
import { StepFailedError } from '../domain/failure.ts';
import type { FailureReason, FailureSeverity } from '../domain/failure.ts';
import type { DesiredRelease } from '../domain/release.ts';
import { diskFailure } from '../adapters/free-space.ts';
import type { Executor, FlowStepInput } from './executor.ts';

/** Clocks that show less are not set yet: 2024. Nothing signed by this system is older. */
export const CLOCK_PLAUSIBLE_MS = 1_704_067_200_000;

/** Before anything else: did the publisher sign exactly this package? */
export const verify: Executor<FlowStepInput> = async ({ release }, tools, signal) => {
  const clockFloor = tools.clockFloorMs();
  const now = tools.clock.now();
  if (Math.max(now, clockFloor) < CLOCK_PLAUSIBLE_MS) throw clockSuspect(now);
  const links = await tools.links.links();
  try {
    const target = await tools.tuf.verifiedTarget(release.targetPath, links, { now, clockFloor, signal });
    assertSame(release, target);
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof TrustError ? refusal(cause) : cause;
  }
  return {};
};

function assertSame(release: DesiredRelease, target: { digest: string; bytes: number }): void {
  if (target.digest === release.packageDigest && target.bytes === release.packageBytes) return;
  throw new StepFailedError({
    reason: 'target-mismatch',
    detail: `desired is ${release.packageDigest} of ${release.packageBytes} bytes, the publisher signed ${target.digest} of ${target.bytes}`,
    severity: 'final',
  });
}

/** Away or stale: wait for it. Between two writes of the publisher: again. Wrong: never. */
const SEVERITIES: Readonly<Record<string, FailureSeverity>> = {
  'metadata-unavailable': 'wait',
  'metadata-too-slow': 'wait',
  'metadata-expired': 'wait',
};

function refusal(cause: TrustError): StepFailedError {
  const disk = cause.code === 'metadata-persist' ? diskFailure(rootOf(cause)) : undefined;
  const severity = SEVERITIES[cause.code] ?? (cause.retryable ? 'retry' : 'final');
  return new StepFailedError(disk ?? { reason: cause.code as FailureReason, detail: cause.message, severity }, { cause });
}

function rootOf(cause: unknown): unknown {
  const inner = (cause as { cause?: unknown } | null)?.cause;
  return inner === undefined ? cause : rootOf(inner);
}

function clockSuspect(now: number): StepFailedError {
  return new StepFailedError({
    reason: 'clock-suspect',
    detail: `this machine's clock says ${new Date(now).toISOString()}: it is not set yet`,
    severity: 'wait',
  });
}

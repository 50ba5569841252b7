import { SlotDamagedError } from '../adapters/slots.ts';
import { StepFailedError } from '../domain/failure.ts';
import type { DesiredRelease } from '../domain/release.ts';
import { GenerationError, GenerationLoadError } from '../inference/errors.ts';
import type { Tools } from './executor.ts';

/** Checks the slot byte for byte, then loads it in a process of its own. @throws StepFailedError */
export async function startModel(release: DesiredRelease, generation: number, tools: Tools, signal: AbortSignal): Promise<void> {
  if (tools.models.has(release.packageDigest)) return;
  try {
    const slot = await tools.slots.verify(release.packageDigest, signal);
    await tools.models.start(release, generation, slot, signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw failureOf(cause) ?? cause;
  }
  assertWeights(release, tools);
}

function failureOf(cause: unknown): StepFailedError | undefined {
  if (cause instanceof SlotDamagedError)
    return new StepFailedError({ reason: 'slot-damaged', detail: cause.message, severity: 'final' }, { cause });
  if (!(cause instanceof GenerationError)) return undefined;
  // What does not load will not load the next time; a process that was killed or hung may have been a victim.
  const severity = cause instanceof GenerationLoadError ? 'final' : 'retry';
  return new StepFailedError({ reason: 'load-failed', detail: cause.message, severity }, { cause });
}

/** What the process says it loaded, against what is desired. */
function assertWeights(release: DesiredRelease, tools: Tools): void {
  const { loaded } = tools.models.get(release.packageDigest);
  if (loaded.digest === release.modelDigest) return;
  throw new StepFailedError({ reason: 'model-mismatch', detail: `the process loaded ${loaded.digest}`, severity: 'final' });
}

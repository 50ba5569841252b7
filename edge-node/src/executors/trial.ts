import { StepFailedError } from '../domain/failure.ts';
import { GenerationError } from '../inference/errors.ts';
import type { Executor, FlowStepInput } from './executor.ts';
import { startModel } from './start-model.ts';

/** Beside the model that serves; nothing of what happens here reaches a frame. */
export const startGeneration: Executor<FlowStepInput> = async (step, tools, signal) => {
  await tools.models.stop(step.release.packageDigest);
  await startModel(step.release, step.generation, tools, signal);
  return {};
};

export const selfTest: Executor<FlowStepInput> = async ({ release, generation }, tools, signal) => {
  await startModel(release, generation, tools, signal);
  const verdict = await goldens(tools.models.get(release.packageDigest).process.selfTest(signal), signal);
  if (verdict.passed) return {};
  throw new StepFailedError({ reason: 'golden-mismatch', detail: verdict.failures.join('; '), severity: 'final' });
};

async function goldens<T>(verdict: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await verdict;
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof GenerationError)) throw cause;
    throw new StepFailedError({ reason: 'self-test-failed', detail: cause.message, severity: 'retry' }, { cause });
  }
}

/** The pointer first, then the frames: a restart in between starts the proven release and mends the pointer. */
export const switchOver: Executor<FlowStepInput> = async ({ release }, tools) => {
  tools.models.get(release.packageDigest);
  await tools.slots.point(release.packageDigest);
  await tools.models.switchTo(release.packageDigest);
  return { serving: release.packageDigest };
};

export const probe: Executor<FlowStepInput> = async ({ release, proven }, tools, signal) => {
  const isServing = (): boolean => tools.models.serving?.release.packageDigest === release.packageDigest;
  await tools.probe.watch(release.packageDigest, proven?.release.packageDigest, isServing, signal);
  return {};
};

/** The commit itself is the state that is stored after this; here is only the last look. */
export const commit: Executor<FlowStepInput> = async ({ release }, tools) => {
  const { serving } = tools.models;
  if (serving?.release.packageDigest === release.packageDigest && serving.loaded.digest === release.modelDigest) return {};
  throw new StepFailedError({ reason: 'generation-died', detail: 'the weights to commit do not serve', severity: 'final' });
};

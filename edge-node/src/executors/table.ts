import { diskFailure } from '../adapters/free-space.ts';
import { errorText } from '../domain/error-text.ts';
import { StepFailedError } from '../domain/failure.ts';
import type { Failure } from '../domain/failure.ts';
import type { Step, StepKind } from '../domain/step.ts';
import { download } from './download.ts';
import type { Executor, StepOf, StepResult, Tools } from './executor.ts';
import { stage } from './stage.ts';
import { commit, probe, selfTest, startGeneration, switchOver } from './trial.ts';
import { verify } from './verify.ts';
import { resume, retire, rollBack, tidy } from './way-back.ts';

type Table = { readonly [K in StepKind]: Executor<StepOf<K>> };

const EXECUTORS: Table = {
  verify,
  download,
  stage,
  'start-generation': startGeneration,
  'self-test': selfTest,
  switch: switchOver,
  probe,
  commit,
  'roll-back': rollBack,
  resume,
  retire,
  tidy,
};

export function execute(step: Step, tools: Tools, signal: AbortSignal): Promise<StepResult> {
  const executor = EXECUTORS[step.kind] as Executor;
  return executor(step, tools, signal);
}

/** Why a step failed, whatever it threw. */
export function failureFrom(cause: unknown): Failure {
  if (cause instanceof StepFailedError) return { reason: cause.reason, detail: cause.detail, severity: cause.severity };
  return diskFailure(cause) ?? { reason: 'internal-error', detail: errorText(cause), severity: 'retry' };
}

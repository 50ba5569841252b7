import type { ObjectRef } from '@edgeloop/contracts';
import { commandLine, effectiveParameters } from '../domain/command-line.ts';
import { inputsOf, parametersOf } from '../domain/inputs.ts';
import type { PlannedExecution } from '../domain/pipeline-plan.ts';
import type { Run } from '../domain/run.ts';
import type { ParameterValue } from '../domain/valohai.ts';
import type { Datasets, ExecutionRequest } from '../ports.ts';

export interface RequestParts {
  readonly datasets: Datasets;
  /** Weights for a first model; null when none is configured. */
  readonly firstBase: () => Promise<ObjectRef | null>;
}

export interface RequestSettings {
  /** Parameter overrides by step name. */
  readonly parameters: Readonly<Record<string, Readonly<Record<string, ParameterValue>>>>;
  readonly stepTimeoutMs: number;
}

/** What an execution is asked to do, but for what the moment decides: its time, its signal, its listener. */
export type ExecutionOrder = Omit<ExecutionRequest, 'signal' | 'onMetadata' | 'timeLeftMs'>;

/**
 * Everything that an execution gets, from the run, from the project and from what ran before it.
 * @throws InvalidProjectError, whatever the dataset's reading throws
 */
export async function orderOf(
  run: Run,
  execution: PlannedExecution,
  parts: RequestParts,
  settings: RequestSettings,
): Promise<ExecutionOrder> {
  const { step, node } = execution;
  const pictures = run.dataset ? (await parts.datasets.files(run.dataset.manifest)).pictures : [];
  const base = run.incumbent?.model ?? (await parts.firstBase());
  const given = parametersOf(execution, run.finished, settings.parameters[step.name] ?? {});
  return {
    runId: run.runId,
    node,
    step,
    command: commandLine(step, given),
    parameters: effectiveParameters(step, given),
    inputs: inputsOf(execution, run.finished, { run, incumbent: run.incumbent, base, pictures }),
    environment: {
      ...Object.fromEntries(step.environmentVariables.flatMap((each) => (each.default === undefined ? [] : [[each.name, each.default]]))),
      EDGELOOP_RUN_ID: run.runId,
      EDGELOOP_MODEL_NAME: run.model.name,
      EDGELOOP_MODEL_VERSION: run.model.version,
    },
    timeLimitMs: Math.min((step.timeLimitSeconds ?? Infinity) * 1000, settings.stepTimeoutMs),
  };
}

import type { Evaluation, ModelCard, ObjectRef } from '@edgeloop/contracts';
import type { MetadataValue } from './domain/metadata-line.ts';
import type { OutputFile, PlacedFile } from './domain/run.ts';
import type { ParameterSetting, StepDefinition } from './domain/valohai.ts';

export interface ExecutionRequest {
  readonly runId: string;
  readonly node: string;
  readonly step: StepDefinition;
  readonly command: string;
  /** Value of each parameter, by name. */
  readonly parameters: Readonly<Record<string, ParameterSetting>>;
  /** Found below `VH_INPUTS_DIR/<input>/`. */
  readonly inputs: readonly PlacedFile[];
  readonly environment: Readonly<Record<string, string>>;
  /** The step's own limit. */
  readonly timeLimitMs: number;
  /** What is left of the run: nothing goes on for longer, neither the step nor the fetching and storing around it. */
  readonly timeLeftMs: number;
  readonly signal: AbortSignal;
  /** Called for every metadata line that the step prints. */
  readonly onMetadata: (metadata: Readonly<Record<string, MetadataValue>>) => void;
}

export type ExecutionResult =
  | {
      readonly outcome: 'done';
      readonly outputs: readonly OutputFile[];
      readonly metadata: Readonly<Record<string, MetadataValue>>;
      readonly seconds: number;
    }
  | { readonly outcome: 'failed' | 'timed-out' | 'cancelled'; readonly reason: string };

/** Where steps run: a local process today; Kubernetes Jobs and Valohai fit behind the same port. */
export interface Executor {
  execute(request: ExecutionRequest): Promise<ExecutionResult>;
  /** Removes what a run left on this machine. */
  clean(runId: string): Promise<void>;
}

/** The outputs of a run that the trainer itself reads. */
export interface RunOutputs {
  /** The `evaluation.json` that the evaluate step wrote; throws `InvalidOutputError`. */
  evaluation(outputs: readonly OutputFile[]): Promise<Evaluation>;
  /** The `model.json` beside the model; throws `InvalidOutputError`. */
  card(outputs: readonly OutputFile[], model: { name: string; version: string }): Promise<ModelCard>;
}

/** A dataset as a run needs it: its pictures, and which of them suit golden vectors. */
export interface Datasets {
  files(manifest: ObjectRef): Promise<{ readonly pictures: readonly PlacedFile[]; readonly goldenPictures: readonly ObjectRef[] }>;
}

/** A step ended well but did not leave what the next one needs. */
export class InvalidOutputError extends Error {
  override readonly name = 'InvalidOutputError';
  readonly retryable = false;
  readonly file: string;
  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, options);
    this.file = file;
  }
}

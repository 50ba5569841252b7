/** The parts of a `valohai.yaml` that a run needs, in Valohai's own words. */
export interface ParameterDefinition {
  readonly name: string;
  readonly type: 'flag' | 'float' | 'integer' | 'string';
  readonly default?: ParameterSetting;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly ParameterValue[];
  readonly optional: boolean;
  readonly passAs?: string;
  readonly passTrueAs?: string;
  readonly passFalseAs?: string;
  readonly multiple: 'none' | 'repeat' | 'separate';
  readonly multipleSeparator: string;
}

export type ParameterValue = string | number | boolean;

/** One value, or several of a parameter that takes a list. */
export type ParameterSetting = ParameterValue | readonly ParameterValue[];

export interface InputDefinition {
  readonly name: string;
  readonly optional: boolean;
  readonly filename?: string;
  /** Keep the folders of a source's name below the input's folder; otherwise only its last part. */
  readonly keepDirectories: boolean;
}

export interface EnvironmentVariableDefinition {
  readonly name: string;
  readonly default?: string;
  readonly optional: boolean;
}

export interface StepDefinition {
  readonly name: string;
  readonly command: readonly string[];
  readonly inputs: readonly InputDefinition[];
  readonly parameters: readonly ParameterDefinition[];
  readonly environmentVariables: readonly EnvironmentVariableDefinition[];
  /** Seconds; undefined: the trainer's own limit. */
  readonly timeLimitSeconds?: number;
  readonly noOutputTimeoutSeconds?: number;
}

export type SocketType = 'input' | 'output' | 'parameter' | 'metadata';

export interface Socket {
  readonly node: string;
  readonly type: SocketType;
  readonly key: string;
}

export interface Edge {
  readonly source: Socket;
  readonly target: Socket;
}

export interface PipelineNode {
  readonly name: string;
  readonly step: string;
}

export interface PipelineDefinition {
  readonly name: string;
  readonly nodes: readonly PipelineNode[];
  readonly edges: readonly Edge[];
}

export interface ValohaiProject {
  readonly steps: readonly StepDefinition[];
  readonly pipelines: readonly PipelineDefinition[];
}

/** The project file cannot be used; says where and what to change. */
export class InvalidProjectError extends Error {
  override readonly name = 'InvalidProjectError';
  readonly retryable = false;
  readonly place: string;
  constructor(place: string, problem: string) {
    super(`${place}: ${problem}`);
    this.place = place;
  }
}

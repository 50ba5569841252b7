import type { Incumbent, ObjectRef } from '@edgeloop/contracts';
import { matchesOutput } from './pipeline-plan.ts';
import type { PlannedExecution } from './pipeline-plan.ts';
import type { FinishedExecution, OutputFile, PlacedFile, Run } from './run.ts';
import { InvalidProjectError } from './valohai.ts';
import type { Edge, InputDefinition, ParameterSetting, ParameterValue } from './valohai.ts';

/** What the trainer itself can put into an input of that name when no edge does. */
export interface RunContext {
  readonly run: Pick<Run, 'dataset' | 'imported'>;
  readonly incumbent: Incumbent | null;
  /** Weights to start from: the incumbent's, or those configured for a first model. */
  readonly base: ObjectRef | null;
  readonly pictures: readonly PlacedFile[];
}

function baseName(path: string): string {
  return path.split('/').at(-1) ?? path;
}

/** Well-known input names: `snapshot`, `samples`, `base`, `incumbent`, `model`. */
function fromContext(input: string, context: RunContext): readonly PlacedFile[] {
  const one = (name: string, object: ObjectRef | null | undefined): readonly PlacedFile[] => (object ? [{ input, name, object }] : []);
  switch (input) {
    case 'snapshot':
      return one('snapshot.json', context.run.dataset?.manifest);
    case 'samples':
      return context.pictures;
    case 'base':
      return one('base.onnx', context.base);
    case 'incumbent':
      return one('incumbent.onnx', context.incumbent?.model);
    case 'model':
      return one('model.onnx', context.run.imported?.model);
    default:
      return [];
  }
}

/** What the source of an edge has to give: outputs that match its key, or the files that filled its input. */
function filesFrom({ source }: Edge, finished: readonly FinishedExecution[]): readonly OutputFile[] {
  const done = finished.find(({ node }) => node === source.node);
  if (source.type === 'output') return done?.outputs.filter((output) => matchesOutput(source.key, output.name)) ?? [];
  if (source.type === 'input') return done?.inputs.filter((file) => file.input === source.key) ?? [];
  return [];
}

function fromEdges(execution: PlannedExecution, input: InputDefinition, finished: readonly FinishedExecution[]): readonly PlacedFile[] {
  return execution.incoming
    .filter((edge) => edge.target.type === 'input' && edge.target.key === input.name)
    .flatMap((edge) => filesFrom(edge, finished))
    .map(({ name, object }) => ({
      input: input.name,
      name: input.filename ?? (input.keepDirectories ? name : baseName(name)),
      object,
    }));
}

/** Of the files of an execution those that edges carry on from its inputs: all that a run has to remember of them. */
export function passedOn(node: string, executions: readonly PlannedExecution[], files: readonly PlacedFile[]): readonly PlacedFile[] {
  const leaving = executions
    .flatMap((execution) => execution.incoming)
    .filter((edge) => edge.source.node === node && edge.source.type === 'input');
  return files.filter((file) => leaving.some((edge) => edge.source.key === file.input));
}

/** Every file an execution gets; refuses one whose compulsory input stays empty. */
export function inputsOf(execution: PlannedExecution, finished: readonly FinishedExecution[], context: RunContext): readonly PlacedFile[] {
  return execution.step.inputs.flatMap((input) => {
    const edged = fromEdges(execution, input, finished);
    const files = edged.length > 0 ? edged : fromContext(input.name, context);
    if (files.length === 0 && !input.optional) {
      throw new InvalidProjectError(
        `step ${execution.step.name}, input ${input.name}`,
        'nothing fills it: no edge brought a file, and this run has none of that name (snapshot, samples, base, incumbent, model)',
      );
    }
    return files;
  });
}

/** Parameters that edges bring, over those that the operator set for the step. */
export function parametersOf(
  execution: PlannedExecution,
  finished: readonly FinishedExecution[],
  configured: Readonly<Record<string, ParameterValue>>,
): Readonly<Record<string, ParameterSetting>> {
  const values: Record<string, ParameterSetting> = { ...configured };
  for (const edge of execution.incoming) {
    const value = edge.target.type === 'parameter' ? valueFrom(edge, finished) : undefined;
    if (value !== undefined && value !== null) values[edge.target.key] = value;
  }
  return values;
}

function valueFrom({ source }: Edge, finished: readonly FinishedExecution[]): ParameterSetting | null | undefined {
  const done = finished.find(({ node }) => node === source.node);
  return source.type === 'parameter' ? done?.parameters[source.key] : done?.metadata[source.key];
}

import type { Incumbent, ObjectRef } from '@edgeloop/contracts';
import { matchesOutput } from './pipeline-plan.ts';
import type { PlannedExecution } from './pipeline-plan.ts';
import type { FinishedExecution, Run } from './run.ts';
import { InvalidProjectError } from './valohai.ts';
import type { InputDefinition, ParameterValue } from './valohai.ts';

export interface PlacedFile {
  readonly input: string;
  readonly name: string;
  readonly object: ObjectRef;
}

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

function fromEdges(execution: PlannedExecution, input: InputDefinition, finished: readonly FinishedExecution[]): readonly PlacedFile[] {
  return execution.incoming
    .filter((edge) => edge.target.type === 'input' && edge.target.key === input.name && edge.source.type === 'output')
    .flatMap((edge) => {
      const outputs = finished.find((done) => done.node === edge.source.node)?.outputs ?? [];
      const files = outputs.filter((output) => matchesOutput(edge.source.key, output.name));
      return files.map((file) => ({
        input: input.name,
        name: input.filename ?? (input.keepDirectories ? file.name : baseName(file.name)),
        object: file.object,
      }));
    });
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
): Readonly<Record<string, ParameterValue>> {
  const values: Record<string, ParameterValue> = { ...configured };
  for (const edge of execution.incoming) {
    if (edge.target.type !== 'parameter' || edge.source.type !== 'metadata') continue;
    const value = finished.find((done) => done.node === edge.source.node)?.metadata[edge.source.key];
    if (value !== undefined && value !== null) values[edge.target.key] = value;
  }
  return values;
}

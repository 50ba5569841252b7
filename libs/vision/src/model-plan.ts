import { ModelShapeError } from './errors.ts';
import { classNamesOf } from './onnx/class-names.ts';
import type { TensorValue } from './onnx/graph-walk.ts';
import type { OnnxSummary } from './onnx/inspect-onnx.ts';
import type { InputFormat } from './picture/letterbox.ts';

/** Side of a model's input, in pixels. */
export const INPUT_SIDE_MAX = 4096;

/** Everything needed to feed a model and read its answer. */
export interface ModelPlan {
  readonly inputName: string;
  readonly outputName: string;
  readonly input: InputFormat;
  readonly classes: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a package declares beside the model. */
export interface ModelDeclaration {
  readonly classes?: readonly string[];
  readonly input?: Partial<InputFormat>;
}

/**
 * Joins what the model says with what is declared; a contradiction is an error.
 * @throws ModelShapeError
 */
export function planModel(model: OnnxSummary, declared: ModelDeclaration): ModelPlan {
  const input = pictureInput(model);
  const output = model.outputs[0];
  if (output === undefined) throw new ModelShapeError('it has no output');
  if (output.elementType !== 'float32') throw new ModelShapeError(`output '${output.name}' is ${output.elementType}, expected float32`);
  return {
    inputName: input.name,
    outputName: output.name,
    input: inputFormat(input, declared.input ?? {}),
    classes: classes(model, declared.classes),
    metadata: model.metadata,
  };
}

function pictureInput({ inputs }: OnnxSummary): TensorValue {
  const [input] = inputs;
  if (input === undefined || inputs.length !== 1) {
    throw new ModelShapeError(`it has ${inputs.length} inputs [${inputs.map(({ name }) => name).join(', ')}], expected one picture`);
  }
  if (input.elementType !== 'float32') throw new ModelShapeError(`input '${input.name}' is ${input.elementType}, expected float32`);
  return input;
}

function inputFormat(input: TensorValue, declared: Partial<InputFormat>): InputFormat {
  const dims = input.dims;
  if (dims === undefined || dims.length !== 4)
    throw new ModelShapeError(`input '${input.name}' is [${dims?.join(',') ?? '?'}], expected [1,3,height,width]`);
  const [batch, channels, height, width] = dims;
  requireDim(input, batch, 1);
  requireDim(input, channels, 3);
  return {
    width: side(input, 'width', width!, declared.width),
    height: side(input, 'height', height!, declared.height),
    range: declared.range ?? '0..1',
    order: declared.order ?? 'RGB',
  };
}

/** A symbolic dimension takes any value. */
function requireDim(input: TensorValue, dim: number | string | undefined, expected: number): void {
  if (typeof dim === 'number' && dim !== expected)
    throw new ModelShapeError(`input '${input.name}' is [${input.dims!.join(',')}], expected [1,3,height,width]`);
}

function side(input: TensorValue, which: string, dim: number | string, declared: number | undefined): number {
  const value = typeof dim === 'number' ? dim : declared;
  if (value === undefined) throw new ModelShapeError(`the ${which} of input '${input.name}' is dynamic; declare it`);
  if (declared !== undefined && declared !== value) throw new ModelShapeError(`declared ${which} ${declared}, the model takes ${value}`);
  if (!(Number.isInteger(value) && value > 0 && value <= INPUT_SIDE_MAX))
    throw new ModelShapeError(`input ${which} ${value}, expected 1 to ${INPUT_SIDE_MAX}`);
  return value;
}

/** Older exports carry no names; where both sides name classes they must agree, else boxes would get wrong names unnoticed. */
function classes({ metadata }: OnnxSummary, declared: readonly string[] | undefined): readonly string[] {
  const own = classNamesOf(metadata);
  const names = declared ?? own;
  if (names === undefined || names.length === 0)
    throw new ModelShapeError("class names are unknown: the model has no metadata 'names'; declare them");
  if (own !== undefined && own.join('\n') !== names.join('\n')) {
    throw new ModelShapeError(`declared classes [${names.join(', ')}], the model names [${own.join(', ')}]`);
  }
  return names;
}

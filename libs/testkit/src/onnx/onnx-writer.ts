import { bytesField, concat, floatField, numberField } from './protobuf-writer.ts';

/** A tensor stored in the model; `external` makes it point to a file that is not there. */
export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array | BigInt64Array;
  readonly external?: boolean;
}

export type OnnxAttribute = number | readonly number[] | string | OnnxTensor | { readonly float: number } | { readonly graph: OnnxGraph };

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxValue {
  readonly name: string;
  /** A string is a symbolic dimension. */
  readonly dims: readonly (number | string)[];
  /** Element type by ONNX number; default 1, float32. */
  readonly type?: number;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly tensors?: readonly OnnxTensor[];
  readonly sparseTensors?: readonly OnnxTensor[];
  readonly inputs?: readonly OnnxValue[];
  readonly outputs?: readonly OnnxValue[];
}

export interface OnnxModel {
  readonly graph: OnnxGraph;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly opset?: number;
  /** Graphs of the training part, which runtimes ignore. */
  readonly training?: OnnxGraph;
}

/** Bytes of an ONNX model (IR version 8), the same for the same input. */
export function writeOnnx({ graph, metadata = {}, opset = 13, training }: OnnxModel): Uint8Array {
  return concat([
    numberField(1, 8),
    bytesField(2, 'edgeloop-testkit'),
    bytesField(7, graphBytes(graph)),
    bytesField(8, numberField(2, opset)),
    ...Object.entries(metadata).map(([key, value]) => bytesField(14, concat([bytesField(1, key), bytesField(2, value)]))),
    ...(training === undefined ? [] : [bytesField(20, bytesField(2, graphBytes(training)))]),
  ]);
}

function graphBytes({ nodes, tensors = [], sparseTensors = [], inputs = [], outputs = [] }: OnnxGraph): Uint8Array {
  return concat([
    ...nodes.map((node) => bytesField(1, nodeBytes(node))),
    bytesField(2, 'graph'),
    ...tensors.map((tensor) => bytesField(5, tensorBytes(tensor))),
    ...inputs.map((value) => bytesField(11, valueBytes(value))),
    ...outputs.map((value) => bytesField(12, valueBytes(value))),
    ...sparseTensors.map((tensor) => bytesField(15, bytesField(1, tensorBytes(tensor)))),
  ]);
}

function nodeBytes({ op, inputs, outputs, attributes = {} }: OnnxNode): Uint8Array {
  return concat([
    ...inputs.map((name) => bytesField(1, name)),
    ...outputs.map((name) => bytesField(2, name)),
    bytesField(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytesField(5, concat([bytesField(1, name), attributeBytes(value)]))),
  ]);
}

/** AttributeProto.type: 1 float, 2 int, 3 string, 4 tensor, 5 graph, 7 ints. */
function attributeBytes(value: OnnxAttribute): Uint8Array {
  if (typeof value === 'number') return concat([numberField(3, value), numberField(20, 2)]);
  if (typeof value === 'string') return concat([bytesField(4, value), numberField(20, 3)]);
  if ('float' in value) return concat([floatField(2, value.float), numberField(20, 1)]);
  if ('graph' in value) return concat([bytesField(6, graphBytes(value.graph)), numberField(20, 5)]);
  if ('values' in value && 'dims' in value) return concat([bytesField(5, tensorBytes(value)), numberField(20, 4)]);
  return concat([...(value as readonly number[]).map((item) => numberField(8, item)), numberField(20, 7)]);
}

function tensorBytes({ name, dims, values, external }: OnnxTensor): Uint8Array {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return concat([
    ...dims.map((dim) => numberField(1, dim)),
    numberField(2, values instanceof BigInt64Array ? 7 : 1),
    bytesField(8, name),
    ...(external === true
      ? [bytesField(13, concat([bytesField(1, 'location'), bytesField(2, 'weights.bin')])), numberField(14, 1)]
      : [bytesField(9, data)]),
  ]);
}

function valueBytes({ name, dims, type = 1 }: OnnxValue): Uint8Array {
  const shape = concat(dims.map((dim) => bytesField(1, typeof dim === 'number' ? numberField(1, dim) : bytesField(2, dim))));
  return concat([bytesField(1, name), bytesField(2, bytesField(1, concat([numberField(1, type), bytesField(2, shape)])))]);
}

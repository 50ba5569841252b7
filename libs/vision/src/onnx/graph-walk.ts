import { OnnxExternalDataError, OnnxUnreadableError } from '../errors.ts';
import { fieldsOf } from './protobuf-reader.ts';
import type { Field } from './protobuf-reader.ts';

/** Graphs inside attributes inside graphs: real detectors nest twice (a loop in a branch). */
export const GRAPH_DEPTH_MAX = 16;

/** Nodes, tensors and values visited in one model. Real detectors have a few thousand. */
export const GRAPH_ITEMS_MAX = 1_000_000;

/** UTF-8 bytes of a name. */
export const NAME_BYTES_MAX = 4096;

/** Dimensions of one shape; detectors have at most five. */
export const SHAPE_DIMENSIONS_MAX = 64;

/** One input or output of a graph. */
export interface TensorValue {
  readonly name: string;
  readonly elementType: string;
  /** A string is a symbolic dimension, empty where unnamed. Undefined: rank unknown or no tensor. */
  readonly dims: readonly (number | string)[] | undefined;
}

// Field numbers from onnx.proto3.
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, sparseInitializer: 15 } as const;
const NODE = { opType: 4, attribute: 5, domain: 7 } as const;
const ATTRIBUTE = { tensor: 5, graph: 6, tensors: 10, graphs: 11, sparseTensor: 22, sparseTensors: 23 } as const;
const TENSOR = {
  floatData: 4,
  int32Data: 5,
  stringData: 6,
  int64Data: 7,
  name: 8,
  rawData: 9,
  doubleData: 10,
  uint64Data: 11,
  externalData: 13,
  dataLocation: 14,
} as const;
const SPARSE = { values: 1, indices: 2 } as const;
const VALUE = { name: 1, type: 2 } as const;
const TYPE = { tensor: 1 } as const;
const TENSOR_TYPE = { elementType: 1, shape: 2 } as const;
const FUNCTION = { node: 7, attributeProto: 11 } as const;
const TRAINING = { initialization: 1, algorithm: 2 } as const;

const DATA_FIELDS: ReadonlySet<number> = new Set([
  TENSOR.floatData,
  TENSOR.int32Data,
  TENSOR.stringData,
  TENSOR.int64Data,
  TENSOR.rawData,
  TENSOR.doubleData,
  TENSOR.uint64Data,
]);

const ELEMENT_TYPES = [
  'undefined',
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
];

const decoder = new TextDecoder();

/** Visits every tensor of a model, in every graph, attribute, function and training part. */
export class GraphWalk {
  readonly opTypes = new Set<string>();
  readonly outputs: TensorValue[] = [];
  tensorBytes = 0;
  readonly #inputs: TensorValue[] = [];
  readonly #initialized = new Set<string>();
  #items = 0;

  mainGraph(bytes: Uint8Array): void {
    for (const { number, wire, bytes: content } of fieldsOf(bytes)) {
      if (wire !== 2) continue;
      if (number === GRAPH.input) this.#inputs.push(this.#value(content));
      else if (number === GRAPH.output) this.outputs.push(this.#value(content));
      else if (number === GRAPH.initializer) this.#initialized.add(this.#tensor(content));
      else this.#graphField(number, content, 0);
    }
  }

  function(bytes: Uint8Array): void {
    for (const { number, wire, bytes: content } of fieldsOf(bytes)) {
      if (wire !== 2) continue;
      if (number === FUNCTION.node) this.#node(content, 0);
      else if (number === FUNCTION.attributeProto) this.#attribute(content, 0);
    }
  }

  trainingInfo(bytes: Uint8Array): void {
    for (const { number, wire, bytes: content } of fieldsOf(bytes)) {
      if (wire === 2 && (number === TRAINING.initialization || number === TRAINING.algorithm)) this.#graph(content, 0);
    }
  }

  /** Older exporters list weights among the inputs: those need not be fed. */
  fedInputs(): TensorValue[] {
    return this.#inputs.filter(({ name }) => !this.#initialized.has(name));
  }

  #graph(bytes: Uint8Array, depth: number): void {
    if (depth > GRAPH_DEPTH_MAX) throw new OnnxUnreadableError(`graphs nested deeper than ${GRAPH_DEPTH_MAX}`);
    for (const { number, wire, bytes: content } of fieldsOf(bytes)) if (wire === 2) this.#graphField(number, content, depth);
  }

  #graphField(number: number, content: Uint8Array, depth: number): void {
    if (number === GRAPH.node) this.#node(content, depth);
    else if (number === GRAPH.initializer) this.#tensor(content);
    else if (number === GRAPH.sparseInitializer) this.#sparse(content);
  }

  #node(bytes: Uint8Array, depth: number): void {
    this.#visit();
    let opType = '';
    let domain = '';
    for (const { number, wire, bytes: content } of fieldsOf(bytes)) {
      if (wire !== 2) continue;
      if (number === NODE.opType) opType = name(content);
      else if (number === NODE.domain) domain = name(content);
      else if (number === NODE.attribute) this.#attribute(content, depth);
    }
    this.opTypes.add(domain === '' || domain === 'ai.onnx' ? opType : `${domain}:${opType}`);
  }

  #attribute(bytes: Uint8Array, depth: number): void {
    for (const { number, wire, bytes: content } of fieldsOf(bytes)) {
      if (wire !== 2) continue;
      if (number === ATTRIBUTE.graph || number === ATTRIBUTE.graphs) this.#graph(content, depth + 1);
      else if (number === ATTRIBUTE.tensor || number === ATTRIBUTE.tensors) this.#tensor(content);
      else if (number === ATTRIBUTE.sparseTensor || number === ATTRIBUTE.sparseTensors) this.#sparse(content);
    }
  }

  #sparse(bytes: Uint8Array): void {
    let named = '';
    for (const { number, wire, bytes: content } of fieldsOf(bytes)) {
      if (wire === 2 && number === SPARSE.values) named = this.#tensor(content);
      else if (wire === 2 && number === SPARSE.indices) this.#tensor(content);
    }
    if (named !== '') this.#initialized.add(named);
  }

  /** Returns the tensor's name. A location given twice would be judged by its last value: any sign of one is refused. */
  #tensor(bytes: Uint8Array): string {
    this.#visit();
    let named = '';
    let external = false;
    for (const field of fieldsOf(bytes)) {
      if (field.number === TENSOR.name && field.wire === 2) named = name(field.bytes);
      external ||= pointsOutside(field);
      if (DATA_FIELDS.has(field.number)) this.tensorBytes += payloadBytes(field);
    }
    if (external) throw new OnnxExternalDataError(named);
    return named;
  }

  #value(bytes: Uint8Array): TensorValue {
    this.#visit();
    let named = '';
    let type: Pick<TensorValue, 'elementType' | 'dims'> = { elementType: 'undefined', dims: undefined };
    for (const { number, wire, bytes: content } of fieldsOf(bytes)) {
      if (wire === 2 && number === VALUE.name) named = name(content);
      else if (wire === 2 && number === VALUE.type) type = tensorType(content);
    }
    return { name: named, ...type };
  }

  #visit(): void {
    if (++this.#items > GRAPH_ITEMS_MAX) throw new OnnxUnreadableError(`more than ${GRAPH_ITEMS_MAX} nodes and tensors`);
  }
}

function pointsOutside({ number, wire, value }: Field): boolean {
  return number === TENSOR.externalData || (number === TENSOR.dataLocation && (wire !== 0 || value !== 0));
}

function payloadBytes({ wire, bytes }: Field): number {
  if (wire === 2) return bytes.length;
  return wire === 1 ? 8 : 4;
}

function tensorType(bytes: Uint8Array): Pick<TensorValue, 'elementType' | 'dims'> {
  let elementType = 'undefined';
  let dims: (number | string)[] | undefined;
  for (const outer of fieldsOf(bytes)) {
    if (outer.wire !== 2 || outer.number !== TYPE.tensor) continue;
    for (const { number, wire, value, bytes: content } of fieldsOf(outer.bytes)) {
      if (number === TENSOR_TYPE.elementType && wire === 0) elementType = ELEMENT_TYPES[value] ?? `type ${value}`;
      else if (number === TENSOR_TYPE.shape && wire === 2) dims = shapeOf(content);
    }
  }
  return { elementType, dims };
}

/** TensorShapeProto: repeated dim = 1, each a dim_value = 1 or a dim_param = 2. */
function shapeOf(bytes: Uint8Array): (number | string)[] {
  const dims: (number | string)[] = [];
  for (const { number, wire, bytes: content } of fieldsOf(bytes)) {
    if (number !== 1 || wire !== 2) continue;
    if (dims.length >= SHAPE_DIMENSIONS_MAX) throw new OnnxUnreadableError(`a shape of more than ${SHAPE_DIMENSIONS_MAX} dimensions`);
    dims.push(dimOf(content));
  }
  return dims;
}

function dimOf(bytes: Uint8Array): number | string {
  let dim: number | string = '';
  for (const { number, wire, value, bytes: content } of fieldsOf(bytes)) {
    if (number === 1 && wire === 0) dim = Number.isSafeInteger(value) ? value : '';
    else if (number === 2 && wire === 2) dim = name(content);
  }
  return dim;
}

function name(bytes: Uint8Array): string {
  if (bytes.length > NAME_BYTES_MAX) throw new OnnxUnreadableError(`a name of ${bytes.length} bytes, at most ${NAME_BYTES_MAX}`);
  return decoder.decode(bytes);
}

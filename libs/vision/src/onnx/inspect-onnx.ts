import { OnnxUnreadableError } from '../errors.ts';
import { GraphWalk } from './graph-walk.ts';
import type { TensorValue } from './graph-walk.ts';
import { fieldsOf } from './protobuf-reader.ts';
import type { Field } from './protobuf-reader.ts';

/** Metadata properties read. */
export const METADATA_ENTRIES_MAX = 1000;

/** Characters of one metadata value. */
export const METADATA_BYTES_MAX = 1_048_576;

/** What a model file says about itself, read without loading it. */
export interface OnnxSummary {
  readonly irVersion: number;
  /** Version of the standard operator set; 0 where none is imported. */
  readonly opset: number;
  /** Version per operator domain; the standard one is `ai.onnx`. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string;
  /** Graph inputs that must be fed. */
  readonly inputs: readonly TensorValue[];
  readonly outputs: readonly TensorValue[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes of all weights and constants. */
  readonly initializerBytes: number;
  /** Operators used anywhere, `domain:Op` outside the standard domain, sorted. */
  readonly opTypes: readonly string[];
}

// Field numbers of ModelProto and its small parts, from onnx.proto3.
const MODEL = { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8, metadataProps: 14, trainingInfo: 20, functions: 25 } as const;
const OPSET = { domain: 1, version: 2 } as const;
const ENTRY = { key: 1, value: 2 } as const;

/**
 * Reads the structure of an ONNX model and refuses one whose weights, in whatever corner of it, lie outside of the file.
 * @throws OnnxUnreadableError, OnnxExternalDataError
 */
export function inspectOnnx(bytes: Uint8Array): OnnxSummary {
  const parts = new ModelParts();
  for (const field of fieldsOf(bytes)) parts.take(field);
  return parts.summary();
}

class ModelParts {
  readonly #walk = new GraphWalk();
  readonly #opsets = new Map<string, number>();
  readonly #metadata = new Map<string, string>();
  #irVersion = 0;
  #producer = '';
  #graphs = 0;

  take(field: Field): void {
    const { number, wire, bytes, value } = field;
    if (number === MODEL.irVersion && wire === 0) this.#irVersion = value;
    if (wire !== 2) return;
    if (number === MODEL.producerName) this.#producer = text(bytes, 200);
    else if (number === MODEL.graph) this.#takeGraph(bytes);
    else if (number === MODEL.opsetImport) this.#takeOpset(bytes);
    else if (number === MODEL.metadataProps) this.#takeMetadata(bytes);
    else if (number === MODEL.trainingInfo) this.#walk.trainingInfo(bytes);
    else if (number === MODEL.functions) this.#walk.function(bytes);
  }

  summary(): OnnxSummary {
    if (this.#graphs === 0 || this.#irVersion === 0) throw new OnnxUnreadableError('it holds no graph');
    return {
      irVersion: this.#irVersion,
      opset: this.#opsets.get('ai.onnx') ?? 0,
      opsets: Object.fromEntries(this.#opsets),
      producer: this.#producer,
      inputs: this.#walk.fedInputs(),
      outputs: this.#walk.outputs,
      metadata: Object.fromEntries(this.#metadata),
      initializerBytes: this.#walk.tensorBytes,
      opTypes: [...this.#walk.opTypes].toSorted(),
    };
  }

  /** Parsers merge a graph given twice; a sane writer never does it, so it is refused. */
  #takeGraph(bytes: Uint8Array): void {
    if (++this.#graphs > 1) throw new OnnxUnreadableError('it holds more than one graph');
    this.#walk.mainGraph(bytes);
  }

  #takeOpset(bytes: Uint8Array): void {
    let domain = 'ai.onnx';
    let version = 0;
    for (const field of fieldsOf(bytes)) {
      if (field.number === OPSET.domain && field.wire === 2) domain = text(field.bytes, 200) || 'ai.onnx';
      if (field.number === OPSET.version && field.wire === 0) version = field.value;
    }
    if (this.#opsets.size >= METADATA_ENTRIES_MAX) throw new OnnxUnreadableError('too many operator sets');
    this.#opsets.set(domain, version);
  }

  #takeMetadata(bytes: Uint8Array): void {
    let key = '';
    let value = '';
    for (const field of fieldsOf(bytes)) {
      if (field.number === ENTRY.key && field.wire === 2) key = text(field.bytes, 1000);
      if (field.number === ENTRY.value && field.wire === 2) value = text(field.bytes, METADATA_BYTES_MAX);
    }
    if (this.#metadata.size >= METADATA_ENTRIES_MAX) throw new OnnxUnreadableError(`more than ${METADATA_ENTRIES_MAX} metadata properties`);
    this.#metadata.set(key, value);
  }
}

const decoder = new TextDecoder();

function text(bytes: Uint8Array, bytesMax: number): string {
  if (bytes.length > bytesMax) throw new OnnxUnreadableError(`a text of ${bytes.length} bytes, at most ${bytesMax}`);
  return decoder.decode(bytes);
}

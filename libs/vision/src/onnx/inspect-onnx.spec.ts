import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { blockDetector, writeOnnx } from '@edgeloop/testkit';
import type { OnnxGraph, OnnxNode, OnnxTensor } from '@edgeloop/testkit';
import { OnnxExternalDataError, OnnxUnreadableError, VisionError } from '../errors.ts';
import { GRAPH_DEPTH_MAX } from './graph-walk.ts';
import { METADATA_ENTRIES_MAX, inspectOnnx } from './inspect-onnx.ts';

const inside: OnnxTensor = { name: 'w', dims: [2], values: Float32Array.of(1, 2) };
const outside: OnnxTensor = { ...inside, name: 'far', external: true };
const node = (attributes: OnnxNode['attributes'] = {}): OnnxNode => ({ op: 'If', inputs: ['x'], outputs: ['y'], attributes });
const graph = (more: Partial<OnnxGraph> = {}): OnnxGraph => ({
  nodes: [node()],
  inputs: [{ name: 'x', dims: [1, 3, 'height', 'width'] }],
  outputs: [{ name: 'y', dims: [1, 5] }],
  ...more,
});

/** `depth` graphs inside one another, the given node in the innermost. */
function nested(depth: number, innermost: OnnxNode): OnnxGraph {
  return depth === 0 ? graph({ nodes: [innermost] }) : graph({ nodes: [node({ then_branch: { graph: nested(depth - 1, innermost) } })] });
}

describe('inspectOnnx', () => {
  it('tells what a model says about itself', () => {
    expect(inspectOnnx(blockDetector({ side: 32, metadata: { version: 'v3' } }))).toEqual({
      irVersion: 8,
      opset: 13,
      opsets: { 'ai.onnx': 13 },
      producer: 'edgeloop-testkit',
      inputs: [{ name: 'images', elementType: 'float32', dims: [1, 3, 32, 32] }],
      outputs: [{ name: 'output0', elementType: 'float32', dims: [1, 4, 7] }],
      metadata: { names: "{0: 'red', 1: 'blue'}", stride: '16', version: 'v3' },
      initializerBytes: (3 * 3 * 16 * 16 + 3 + 4 * 4) * 4 + (3 + 1 + 1 + 1) * 8,
      opTypes: ['Concat', 'Conv', 'Reshape', 'Sigmoid', 'Transpose'],
    });
  });

  it('names symbolic dimensions, and leaves weights out of the inputs', () => {
    const inputs = [
      { name: 'x', dims: [1, 3, 'height', 'width'] },
      { name: 'w', dims: [2] },
    ];
    expect(inspectOnnx(writeOnnx({ graph: graph({ inputs, tensors: [inside] }) })).inputs).toEqual([
      { name: 'x', elementType: 'float32', dims: [1, 3, 'height', 'width'] },
    ]);
  });

  it('counts constants in attributes among the weights', () => {
    expect(inspectOnnx(writeOnnx({ graph: graph({ nodes: [node({ value: inside })] }) })).initializerBytes).toBe(8);
  });

  it.each<[string, Parameters<typeof writeOnnx>[0]]>([
    ['a weight', { graph: graph({ tensors: [inside, outside] }) }],
    ['a sparse weight', { graph: graph({ sparseTensors: [outside] }) }],
    ['a constant of a node', { graph: graph({ nodes: [node({ value: outside })] }) }],
    ['a weight of a branch', { graph: graph({ nodes: [node({ then_branch: { graph: graph({ tensors: [outside] }) } })] }) }],
    ['a constant of a branch of a branch', { graph: nested(3, node({ value: outside })) }],
    ['the training part', { graph: graph(), training: graph({ tensors: [outside] }) }],
  ])('refuses data outside of the file in %s', (_, model) => {
    expect(() => inspectOnnx(writeOnnx(model))).toThrow(OnnxExternalDataError);
    expect(() => inspectOnnx(writeOnnx(model))).toThrow(/'far'/);
  });

  it('refuses data outside of the file in a function', () => {
    // ModelProto.functions = 25, FunctionProto.node = 7, NodeProto.attribute = 5, AttributeProto.t = 5, TensorProto.data_location = 14.
    const message = (field: number, content: number[]) => [...tag(field), content.length, ...content];
    const external = message(25, message(7, message(5, message(5, [14 * 8, 1]))));
    expect(() => inspectOnnx(Uint8Array.from([...writeOnnx({ graph: graph() }), ...external]))).toThrow(OnnxExternalDataError);
  });

  it('walks graphs inside graphs, but not without end', () => {
    expect(inspectOnnx(writeOnnx({ graph: nested(GRAPH_DEPTH_MAX, node()) })).opTypes).toEqual(['If']);
    expect(() => inspectOnnx(writeOnnx({ graph: nested(GRAPH_DEPTH_MAX + 1, node()) }))).toThrow(OnnxUnreadableError);
  });

  it.each<[string, number[] | Uint8Array]>([
    ['nothing', []],
    ['text', new TextEncoder().encode('not a model')],
    ['a length beyond the end', [0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a length of 2^63', [0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['a number without end', [0x08, ...Array.from({ length: 20 }, () => 0x80)]],
    ['a number cut off', [0x08, 0x80]],
    ['a wire type that does not exist', [0x0f]],
    ['a group', [0x0b, 0x0c]],
    ['field number 0', [0x00, 0x00]],
    ['no graph', [0x08, 0x08]],
    ['two graphs', [0x08, 0x08, 0x3a, 0x00, 0x3a, 0x00]],
  ])('refuses %s', (_, bytes) => {
    expect(() => inspectOnnx(Uint8Array.from(bytes))).toThrow(OnnxUnreadableError);
  });

  it('refuses a flood of metadata', () => {
    const metadata = Object.fromEntries(Array.from({ length: METADATA_ENTRIES_MAX + 1 }, (_, i) => [`k${i}`, 'v']));
    expect(() => inspectOnnx(writeOnnx({ graph: graph(), metadata }))).toThrow(OnnxUnreadableError);
  });

  const whole = writeOnnx({
    graph: nested(2, node({ value: inside, axes: [1, 2], mode: 'x', ratio: { float: 0.5 } })),
    metadata: { names: "['a']" },
  });

  it('refuses every beginning of a model, or reads it as a smaller one', () => {
    for (let length = 0; length < whole.length; length++) {
      const outcome = attempt(whole.subarray(0, length));
      expect(outcome instanceof OnnxUnreadableError || typeof outcome === 'object').toBe(true);
    }
    expect(attempt(whole.subarray(0, whole.length >> 1))).toBeInstanceOf(OnnxUnreadableError);
  });

  it('answers any damage with a summary or a typed error', () => {
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        attempt(bytes);
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void attempt(bytes)),
      { numRuns: 3000 },
    );
  });
});

/** The summary or the typed error; anything else is thrown on. */
function attempt(bytes: Uint8Array): unknown {
  try {
    return inspectOnnx(bytes);
  } catch (error) {
    if (error instanceof VisionError) return error;
    throw error;
  }
}

function tag(field: number): number[] {
  const value = field * 8 + 2;
  return value < 128 ? [value] : [(value & 127) | 128, value >> 7];
}

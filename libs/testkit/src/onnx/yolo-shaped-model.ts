import { writeOnnx } from './onnx-writer.ts';
import type { OnnxNode, OnnxTensor } from './onnx-writer.ts';

export interface YoloShapedOptions {
  /** Default 80. */
  readonly classCount?: number;
  /** Side of the input, a multiple of 32. Default 640. */
  readonly side?: number;
}

/** Channels after each halving of the picture, and convolutions kept at that size: the arithmetic of the smallest YOLOv5. */
const STAGES = [
  { channels: 32, repeats: 1 },
  { channels: 64, repeats: 2 },
  { channels: 128, repeats: 2 },
  { channels: 256, repeats: 1 },
] as const;
const STEM_CHANNELS = 16;
const ANCHORS = 3;
/** Logit of the objectness of untrained cells: they see nothing, as most cells of a trained model. */
const OBJECTNESS_BIAS = -6;

/**
 * A detector of the size and output shape of the smallest YOLOv5 (4.5 GFLOP at 640, `[1,25200,85]`) with random weights, the
 * same for every call: speed depends on shapes, not on what was learned.
 */
export function yoloShapedModel({ classCount = 80, side = 640 }: YoloShapedOptions = {}): Uint8Array {
  const builder = new GraphBuilder();
  let from = builder.conv('images', { from: 3, to: STEM_CHANNELS, kernel: 6, stride: 2, pad: 2 });
  let channels = STEM_CHANNELS;
  const outputs: string[] = [];
  for (const [index, stage] of STAGES.entries()) {
    from = builder.conv(from, { from: channels, to: stage.channels, kernel: 3, stride: 2, pad: 1 });
    for (let i = 0; i < stage.repeats; i++)
      from = builder.conv(from, { from: stage.channels, to: stage.channels, kernel: 3, stride: 1, pad: 1 });
    channels = stage.channels;
    // Strides 8, 16 and 32 have heads.
    if (index > 0) outputs.push(builder.head(from, { channels, classCount, cells: side / 2 ** (index + 2) }));
  }
  builder.node('Concat', outputs, 'raw', { axis: 1 });
  builder.scaleBoxes('raw', side, classCount);
  const rows = ANCHORS * [8, 16, 32].reduce((sum, stride) => sum + (side / stride) ** 2, 0);
  return writeOnnx({
    graph: {
      nodes: builder.nodes,
      tensors: builder.tensors,
      inputs: [{ name: 'images', dims: [1, 3, side, side] }],
      outputs: [{ name: 'output0', dims: [1, rows, 5 + classCount] }],
    },
    metadata: { names: `[${Array.from({ length: classCount }, (_, i) => `'class ${i}'`).join(', ')}]`, stride: '32' },
  });
}

interface ConvShape {
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
}

class GraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly tensors: OnnxTensor[] = [];
  #names = 0;
  #state = 1;

  node(op: string, inputs: readonly string[], output: string, attributes: OnnxNode['attributes'] = {}): string {
    this.nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }

  /** Convolution and the activation `x * sigmoid(x)`. */
  conv(input: string, shape: ConvShape): string {
    const out = this.#plainConv(input, shape, new Float32Array(shape.to));
    const gate = this.node('Sigmoid', [out], this.#name());
    return this.node('Mul', [out, gate], this.#name());
  }

  /** `[1, anchors * (5 + classes), n, n]` to rows `[1, anchors * n * n, 5 + classes]`, all values in 0..1. */
  head(input: string, { channels, classCount, cells }: { channels: number; classCount: number; cells: number }): string {
    const columns = 5 + classCount;
    const bias = Float32Array.from({ length: ANCHORS * columns }, (_, i) => (i % columns === 4 ? OBJECTNESS_BIAS : 0));
    const raw = this.#plainConv(input, { from: channels, to: ANCHORS * columns, kernel: 1, stride: 1, pad: 0 }, bias);
    const split = this.node('Reshape', [raw, this.#ints([1, ANCHORS, columns, cells, cells])], this.#name());
    const last = this.node('Transpose', [split], this.#name(), { perm: [0, 1, 3, 4, 2] });
    const rows = this.node('Reshape', [last, this.#ints([1, ANCHORS * cells * cells, columns])], this.#name());
    return this.node('Sigmoid', [rows], this.#name());
  }

  scaleBoxes(input: string, side: number, classCount: number): void {
    const scale = Float32Array.from({ length: 5 + classCount }, (_, column) => (column < 4 ? side : 1));
    this.tensors.push({ name: 'scale', dims: [1, 1, scale.length], values: scale });
    this.node('Mul', [input, 'scale'], 'output0');
  }

  #plainConv(input: string, { from, to, kernel, stride, pad }: ConvShape, bias: Float32Array): string {
    const weight = this.#name();
    const spread = 1 / Math.sqrt(from * kernel * kernel);
    const values = Float32Array.from({ length: to * from * kernel * kernel }, () => (this.#uniform() * 2 - 1) * spread);
    this.tensors.push({ name: weight, dims: [to, from, kernel, kernel], values }, { name: `${weight}.bias`, dims: [to], values: bias });
    const attributes = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] };
    return this.node('Conv', [input, weight, `${weight}.bias`], this.#name(), attributes);
  }

  #ints(values: readonly number[]): string {
    const name = this.#name();
    this.tensors.push({ name, dims: [values.length], values: BigInt64Array.from(values.map(BigInt)) });
    return name;
  }

  #name(): string {
    return `t${this.#names++}`;
  }

  /** Linear congruential generator: weights only have to be spread. */
  #uniform(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }
}

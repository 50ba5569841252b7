import { writeOnnx } from './onnx-writer.ts';
import type { OnnxNode, OnnxTensor } from './onnx-writer.ts';

/** Side of a cell, pixels: the detector looks at blocks of this size. */
export const BLOCK_PIXELS = 16;

export const BLOCK_CLASSES = ['red', 'blue'] as const;

export interface BlockDetectorOptions {
  /** Side of the square input. Default 160. */
  readonly side?: number;
  readonly layout?: 'yolov5' | 'yolov8' | 'end-to-end';
  /** `blind` loads and answers, but sees nothing; `damaged` answers with NaN. Default: sees. */
  readonly fault?: 'blind' | 'damaged';
  /** Convolutions that change nothing, to make one run last longer. Default 0. */
  readonly ballast?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A detector small enough to read: one convolution that finds blocks of red (class 0) and of blue (class 1). A block
 * filled with the pure colour scores above 0.9, a grey one under 0.01; its box is the block itself.
 */
export function blockDetector(options: BlockDetectorOptions = {}): Uint8Array {
  const { side = 160, layout = 'yolov5', ballast = 0 } = options;
  const cells = (side / BLOCK_PIXELS) ** 2;
  const body = [...ballastNodes(ballast), ...seeing(layout, ballastName(ballast))];
  return writeOnnx({
    graph: {
      nodes: body,
      tensors: [...weights(options.fault), ...geometry(side, layout), ...ballastTensors(ballast)],
      inputs: [{ name: 'images', dims: [1, 3, side, side] }],
      outputs: [{ name: 'output0', dims: outputDims(layout, cells) }],
    },
    metadata: { names: "{0: 'red', 1: 'blue'}", stride: String(BLOCK_PIXELS), ...options.metadata },
  });
}

type Layout = NonNullable<BlockDetectorOptions['layout']>;

function outputDims(layout: Layout, cells: number): number[] {
  if (layout === 'yolov5') return [1, cells, 7];
  return layout === 'yolov8' ? [1, 6, cells] : [1, cells, 6];
}

/** Channels of the convolution: objectness, red, blue. */
function seeing(layout: Layout, picture: string): OnnxNode[] {
  const look: OnnxNode[] = [
    {
      op: 'Conv',
      inputs: [picture, 'weight', 'bias'],
      outputs: ['cells'],
      attributes: { kernel_shape: [BLOCK_PIXELS, BLOCK_PIXELS], strides: [BLOCK_PIXELS, BLOCK_PIXELS] },
    },
    { op: 'Sigmoid', inputs: ['cells'], outputs: ['scores'] },
    { op: 'Reshape', inputs: ['scores', 'lines'], outputs: ['byLine'] },
  ];
  if (layout === 'yolov8') {
    return [
      ...look,
      { op: 'Slice', inputs: ['byLine', 'one', 'three', 'one'], outputs: ['classes'] },
      { op: 'Concat', inputs: ['boxes', 'classes'], outputs: ['output0'], attributes: { axis: 1 } },
    ];
  }
  const rows: OnnxNode = { op: 'Transpose', inputs: ['byLine'], outputs: ['rows'], attributes: { perm: [0, 2, 1] } };
  if (layout === 'yolov5')
    return [...look, rows, { op: 'Concat', inputs: ['boxes', 'rows'], outputs: ['output0'], attributes: { axis: 2 } }];
  return [
    ...look,
    rows,
    { op: 'Slice', inputs: ['rows', 'one', 'three', 'two'], outputs: ['classes'] },
    { op: 'ReduceMax', inputs: ['classes'], outputs: ['best'], attributes: { axes: [2], keepdims: 1 } },
    { op: 'ArgMax', inputs: ['classes'], outputs: ['bestClass'], attributes: { axis: 2, keepdims: 1 } },
    { op: 'Cast', inputs: ['bestClass'], outputs: ['bestNumber'], attributes: { to: 1 } },
    { op: 'Concat', inputs: ['boxes', 'best', 'bestNumber'], outputs: ['output0'], attributes: { axis: 2 } },
  ];
}

/** Mean of the wanted channel minus the others, sharpened: +1 for the pure colour, 0 or less for grey. */
function weights(fault: BlockDetectorOptions['fault']): OnnxTensor[] {
  const area = BLOCK_PIXELS ** 2;
  const gain = fault === 'blind' ? 0 : fault === 'damaged' ? Number.NaN : 20 / area;
  const perChannel = [
    [gain, -gain, gain],
    [gain, -gain / 2, -gain],
    [-gain, -gain / 2, gain],
  ];
  const weight = Float32Array.from(perChannel.flat().flatMap((value) => Array.from({ length: area }, () => value)));
  return [
    { name: 'weight', dims: [3, 3, BLOCK_PIXELS, BLOCK_PIXELS], values: weight },
    { name: 'bias', dims: [3], values: Float32Array.from([-10, -10, -10]) },
  ];
}

function geometry(side: number, layout: Layout): OnnxTensor[] {
  const perSide = side / BLOCK_PIXELS;
  const cells = perSide ** 2;
  const rows = Array.from({ length: cells }, (_, cell) => boxOf(cell % perSide, Math.floor(cell / perSide), layout));
  const values = layout === 'yolov8' ? [0, 1, 2, 3].flatMap((quantity) => rows.map((row) => row[quantity]!)) : rows.flat();
  const int = (name: string, ...items: number[]): OnnxTensor => ({
    name,
    dims: [items.length],
    values: BigInt64Array.from(items.map(BigInt)),
  });
  return [
    { name: 'boxes', dims: layout === 'yolov8' ? [1, 4, cells] : [1, cells, 4], values: Float32Array.from(values) },
    int('lines', 1, 3, cells),
    int('one', 1),
    int('two', 2),
    int('three', 3),
  ];
}

function boxOf(column: number, row: number, layout: Layout): [number, number, number, number] {
  const [x, y] = [column * BLOCK_PIXELS, row * BLOCK_PIXELS];
  if (layout === 'end-to-end') return [x, y, x + BLOCK_PIXELS, y + BLOCK_PIXELS];
  return [x + BLOCK_PIXELS / 2, y + BLOCK_PIXELS / 2, BLOCK_PIXELS, BLOCK_PIXELS];
}

/** A chain of 3 x 3 convolutions that hand the picture on unchanged. */
function ballastNodes(count: number): OnnxNode[] {
  return Array.from({ length: count }, (_, i): OnnxNode => ({
    op: 'Conv',
    inputs: [ballastName(i), 'ballastWeight'],
    outputs: [ballastName(i + 1)],
    attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
  }));
}

function ballastName(step: number): string {
  return step === 0 ? 'images' : `picture${step}`;
}

function ballastTensors(count: number): OnnxTensor[] {
  if (count === 0) return [];
  const centre = (output: number, input: number) => Array.from({ length: 9 }, (_, at) => (at === 4 && output === input ? 1 : 0));
  const values = Float32Array.from([0, 1, 2].flatMap((output) => [0, 1, 2].flatMap((input) => centre(output, input))));
  return [{ name: 'ballastWeight', dims: [3, 3, 3, 3], values }];
}

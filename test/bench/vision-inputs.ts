/** Uniform numbers in [0, 1), the same on every run. */
export function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Sizes of the lumps of light and dark, in pixels, and how strong they are. */
const OCTAVES = [
  { pixels: 96, levels: 50 },
  { pixels: 24, levels: 30 },
  { pixels: 6, levels: 16 },
  { pixels: 2, levels: 9 },
] as const;

/** A picture with detail at every scale and hard edges, so that its JPEG is as large as a camera's. */
export function syntheticScene(width: number, height: number): { rgb: Uint8Array; width: number; height: number } {
  const uniform = numbersFrom(7);
  const light = new Float32Array(width * height).fill(118);
  for (const { pixels, levels } of OCTAVES) addLumps(light, { width, height, pixels, levels, uniform });
  for (let i = 0; i < 60; i++) addBlock(light, width, height, uniform);
  const rgb = new Uint8ClampedArray(width * height * 3);
  for (let i = 0; i < light.length; i++) rgb.set([light[i]! * 1.05, light[i]!, light[i]! * 0.9], i * 3);
  return { rgb: new Uint8Array(rgb.buffer), width, height };
}

interface Lumps {
  readonly width: number;
  readonly height: number;
  readonly pixels: number;
  readonly levels: number;
  readonly uniform: () => number;
}

/** Random values on a grid, bilinear between. */
function addLumps(light: Float32Array, { width, height, pixels, levels, uniform }: Lumps): void {
  const columns = Math.ceil(width / pixels) + 2;
  const grid = Float32Array.from({ length: columns * (Math.ceil(height / pixels) + 2) }, () => (uniform() * 2 - 1) * levels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = Math.floor(y / pixels) * columns + Math.floor(x / pixels);
      const [fx, fy] = [(x % pixels) / pixels, (y % pixels) / pixels];
      const upper = grid[at]! * (1 - fx) + grid[at + 1]! * fx;
      const lower = grid[at + columns]! * (1 - fx) + grid[at + columns + 1]! * fx;
      light[y * width + x]! += upper * (1 - fy) + lower * fy;
    }
  }
}

function addBlock(light: Float32Array, width: number, height: number, uniform: () => number): void {
  const [x0, y0] = [Math.floor(uniform() * width), Math.floor(uniform() * height)];
  const [x1, y1] = [Math.min(width, x0 + 20 + uniform() * 180), Math.min(height, y0 + 30 + uniform() * 260)];
  const levels = uniform() * 160 - 80;
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) light[y * width + x]! += levels;
}

/** `[rows, 5 + classes]` as a busy frame gives it: a quiet background and a dozen things with many boxes each. */
export function busyOutput(rows: number, classCount: number): Float32Array {
  const columns = 5 + classCount;
  const uniform = numbersFrom(5);
  const output = new Float32Array(rows * columns);
  for (let at = 0; at < output.length; at += columns) {
    output.set([uniform() * 640, uniform() * 640, 10 + uniform() * 100, 10 + uniform() * 100, uniform() ** 6 * 0.2], at);
    for (let k = 5; k < columns; k++) output[at + k] = uniform() * 0.3;
  }
  for (let thing = 0; thing < 12; thing++) addThing(output, rows, classCount, uniform);
  return output;
}

function addThing(output: Float32Array, rows: number, classCount: number, uniform: () => number): void {
  const [cx, cy, w, h] = [uniform() * 600, uniform() * 600, 20 + uniform() * 80, 30 + uniform() * 120];
  const classId = Math.floor(uniform() * classCount);
  for (let i = 0; i < 25; i++) {
    const at = Math.floor(uniform() * rows) * (5 + classCount);
    output.set([cx + uniform() * 8, cy + uniform() * 8, w * (0.9 + uniform() * 0.2), h * (0.9 + uniform() * 0.2), 0.5 + uniform() / 2], at);
    output[at + 5 + classId] = 0.6 + uniform() * 0.4;
  }
}

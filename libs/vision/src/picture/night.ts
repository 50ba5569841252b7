import { loadSharp } from './load-sharp.ts';
import { decodePicture } from './read-picture.ts';
import type { PictureInput, RawPicture } from './read-picture.ts';

/** How a day photo is turned into a night photo, in this order. */
export const NIGHT = {
  /** Factor of every channel. */
  brightness: 0.28,
  /** Part of the colour that is left; the rest is grey. */
  colour: 0.15,
  /** Standard deviation of the Gaussian blur, pixels. */
  blurSigma: 1.1,
  /** Standard deviation of the Gaussian noise, of 255. */
  noiseSigma: 9,
  jpegQuality: 85,
} as const;

/**
 * A night version of a picture as JPEG. The same picture and seed give the same noise.
 * @throws UnreadablePictureError, PictureTooLargeError
 */
export async function nightOf(picture: PictureInput, seed: number): Promise<Uint8Array> {
  const { rgb, width, height } = await decodePicture(picture);
  const dark = new Float32Array(rgb.length);
  darken(rgb, dark);
  const blurred = blur({ values: dark, width, height }, NIGHT.blurSigma);
  return encodeJpeg({ rgb: withNoise(blurred, seed), width, height }, NIGHT.jpegQuality);
}

/** @param quality 1 to 100 */
export async function encodeJpeg({ rgb, width, height }: RawPicture, quality: number): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
}

/** Brightness, then colour; each step ends in whole levels, as image tools do it. */
function darken(rgb: Uint8Array, out: Float32Array): void {
  for (let i = 0; i < rgb.length; i += 3) {
    const red = Math.floor(rgb[i]! * NIGHT.brightness);
    const green = Math.floor(rgb[i + 1]! * NIGHT.brightness);
    const blue = Math.floor(rgb[i + 2]! * NIGHT.brightness);
    const grey = Math.floor((red * 299 + green * 587 + blue * 114 + 500) / 1000);
    out[i] = Math.trunc(grey + NIGHT.colour * (red - grey));
    out[i + 1] = Math.trunc(grey + NIGHT.colour * (green - grey));
    out[i + 2] = Math.trunc(grey + NIGHT.colour * (blue - grey));
  }
}

interface Plane {
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Separable Gaussian; pixels beyond the edge repeat the edge. */
function blur({ values, width, height }: Plane, sigma: number): Float32Array {
  const kernel = gaussian(sigma);
  return blurDown(blurAcross({ values, width, height }, kernel), kernel);
}

function gaussian(sigma: number): Float32Array {
  const radius = Math.ceil(sigma * 3);
  const kernel = Float32Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)));
  const sum = kernel.reduce((total, weight) => total + weight, 0);
  return kernel.map((weight) => weight / sum);
}

/** Each row is copied with its edge repeated, so that the inner loop needs no bounds. */
function blurAcross({ values, width, height }: Plane, kernel: Float32Array): Plane {
  const out = new Float32Array(values.length);
  const stride = width * 3;
  const margin = ((kernel.length - 1) / 2) * 3;
  const row = new Float32Array(stride + margin * 2);
  for (let y = 0; y < height; y++) {
    const start = y * stride;
    row.set(values.subarray(start, start + stride), margin);
    for (let i = 0; i < margin; i++) {
      row[i] = values[start + (i % 3)]!;
      row[margin + stride + i] = values[start + stride - 3 + (i % 3)]!;
    }
    const shifted = (step: number): Float32Array => row.subarray(margin + step * 3, margin + step * 3 + stride);
    sumPairs(out.subarray(start, start + stride), kernel, shifted);
  }
  return { values: out, width, height };
}

/** Row by row, in the order of memory: going down columns would miss the cache at every step. */
function blurDown({ values, width, height }: Plane, kernel: Float32Array): Float32Array {
  const out = new Float32Array(values.length);
  const stride = width * 3;
  for (let y = 0; y < height; y++) {
    const shifted = (step: number): Float32Array => {
      const from = Math.min(height - 1, Math.max(0, y + step)) * stride;
      return values.subarray(from, from + stride);
    };
    sumPairs(out.subarray(y * stride, (y + 1) * stride), kernel, shifted);
  }
  return out;
}

/** The kernel is the same to both sides, so that two shifts share a product. */
function sumPairs(out: Float32Array, kernel: Float32Array, shifted: (step: number) => Float32Array): void {
  const radius = (kernel.length - 1) / 2;
  const middle = shifted(0);
  const weight = kernel[radius]!;
  for (let i = 0; i < out.length; i++) out[i] = weight * middle[i]!;
  for (let step = 1; step <= radius; step++) addPair(out, kernel[radius + step]!, shifted(-step), shifted(step));
}

function addPair(out: Float32Array, weight: number, left: Float32Array, right: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i]! += weight * (left[i]! + right[i]!);
}

function withNoise(values: Float32Array, seed: number): Uint8Array {
  const out = new Uint8ClampedArray(values.length);
  const table = (normalTable ??= makeNormalTable());
  const next = wordsFrom(seed);
  for (let i = 0; i < values.length; i += 2) {
    // One 32-bit word picks two entries of the table.
    const word = next();
    out[i] = values[i]! + NIGHT.noiseSigma * table[word >>> 16]!;
    if (i + 1 < values.length) out[i + 1] = values[i + 1]! + NIGHT.noiseSigma * table[word & 0xffff]!;
  }
  return new Uint8Array(out.buffer);
}

/** Normal values to pick from: a logarithm and a cosine for each of a million values would cost more than the blur. */
const NORMALS = 65_536;
const TABLE_SEED = 1;

let normalTable: Float32Array | undefined;

/** Box-Muller, two normal values of two uniform ones. */
function makeNormalTable(): Float32Array {
  const table = new Float32Array(NORMALS);
  const next = wordsFrom(TABLE_SEED);
  const uniform = () => next() / 4_294_967_296;
  for (let i = 0; i < NORMALS; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    table[i] = radius * Math.cos(angle);
    table[i + 1] = radius * Math.sin(angle);
  }
  return table;
}

/** Mulberry32: 32 bits of state, 32-bit words. */
function wordsFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

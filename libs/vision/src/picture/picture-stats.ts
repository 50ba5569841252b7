import { decodeBand } from './letterbox.ts';
import type { PictureBand } from './letterbox.ts';
import type { PictureInput } from './read-picture.ts';

/** Statistics are taken on a grey picture of at most this side, so that they cost well under a millisecond. */
export const STATS_SIDE_MAX = 160;

/** Side that a picture is decoded to where only its statistics are wanted. */
const DECODE_SIDE = 320;

const HASH_COLUMNS = 9;
const HASH_ROWS = 8;

/** Cheap facts about one picture, comparable between pictures decoded to the same input size. */
export interface PictureStats {
  /** Mean luma, 0 black to 1 white. */
  readonly brightness: number;
  /** Standard deviation of the luma, 0 to 0.5. */
  readonly contrast: number;
  /** Variance of the Laplacian of the luma (0..1): falls with blur. */
  readonly sharpness: number;
  /** 64-bit difference hash, 16 hex digits: near-duplicates differ in few bits. */
  readonly hash: string;
}

/** A grey picture of averages, values 0..1. */
interface Grey {
  readonly width: number;
  readonly height: number;
  readonly luma: Float64Array;
}

/** @throws UnreadablePictureError, PictureTooLargeError */
export async function pictureStats(picture: PictureInput): Promise<PictureStats> {
  return bandStats(await decodeBand(picture, { width: DECODE_SIDE, height: DECODE_SIDE }));
}

/** The same from a band that was decoded for inference anyhow. */
export function bandStats(band: PictureBand): PictureStats {
  const { width, height } = band.geometry.band;
  const grey = shrink(band.rgb, width, height, Math.min(width, STATS_SIDE_MAX), Math.min(height, STATS_SIDE_MAX));
  const brightness = mean(grey.luma);
  return { brightness, contrast: deviation(grey.luma, brightness), sharpness: laplacianVariance(grey), hash: differenceHash(grey) };
}

/** Averages every pixel into its cell of the smaller grid. ITU-R 601 luma. */
function shrink(rgb: Uint8Array, width: number, height: number, columns: number, rows: number): Grey {
  const luma = new Float64Array(columns * rows);
  const counts = new Uint32Array(columns * rows);
  const columnOf = Uint32Array.from({ length: width }, (_, x) => Math.floor((x * columns) / width));
  for (let y = 0, j = 0; y < height; y++) {
    const line = Math.floor((y * rows) / height) * columns;
    for (let x = 0; x < width; x++, j += 3) {
      const cell = line + columnOf[x]!;
      luma[cell]! += rgb[j]! * 299 + rgb[j + 1]! * 587 + rgb[j + 2]! * 114;
      counts[cell]!++;
    }
  }
  for (let i = 0; i < luma.length; i++) luma[i]! /= counts[i]! * 255_000;
  return { width: columns, height: rows, luma };
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function deviation(values: Float64Array, average: number): number {
  let squares = 0;
  for (const value of values) squares += (value - average) ** 2;
  return Math.sqrt(squares / values.length);
}

function laplacianVariance({ width, height, luma }: Grey): number {
  if (width < 3 || height < 3) return 0;
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const value = luma[at - 1]! + luma[at + 1]! + luma[at - width]! + luma[at + width]! - 4 * luma[at]!;
      sum += value;
      squares += value * value;
    }
  }
  const count = (width - 2) * (height - 2);
  return Math.max(0, squares / count - (sum / count) ** 2);
}

/** Cells that differ by less, half a level of 255, count as equal: rounding must not make bits. */
const HASH_STEP = 1 / 510;

/** One bit per pair of neighbouring cells of a 9 x 8 grid: is the left one brighter? */
function differenceHash(grey: Grey): string {
  const cells = averageCells(grey, HASH_COLUMNS, HASH_ROWS);
  let hash = '';
  for (let row = 0; row < HASH_ROWS; row++) {
    let byte = 0;
    for (let column = 0; column < HASH_COLUMNS - 1; column++) {
      const at = row * HASH_COLUMNS + column;
      byte = (byte << 1) | (cells[at]! > cells[at + 1]! + HASH_STEP ? 1 : 0);
    }
    hash += byte.toString(16).padStart(2, '0');
  }
  return hash;
}

/** Pictures smaller than the grid repeat pixels. */
function averageCells({ width, height, luma }: Grey, columns: number, rows: number): Float64Array {
  const cells = new Float64Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      cells[row * columns + column] = cellMean(luma, width, span(column, columns, width), span(row, rows, height));
    }
  }
  return cells;
}

function span(index: number, count: number, length: number): readonly [number, number] {
  const from = Math.floor((index * length) / count);
  return [from, Math.max(from + 1, Math.floor(((index + 1) * length) / count))];
}

function cellMean(luma: Float64Array, width: number, [x0, x1]: readonly [number, number], [y0, y1]: readonly [number, number]): number {
  let sum = 0;
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) sum += luma[y * width + x]!;
  return sum / ((x1 - x0) * (y1 - y0));
}

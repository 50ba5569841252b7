import { planLetterbox } from './geometry.ts';
import type { LetterboxGeometry, Size } from './geometry.ts';
import { openPicture, pixels, readPictureHeader } from './read-picture.ts';
import type { PictureInput } from './read-picture.ts';
import { TensorSizeError } from '../errors.ts';

/** Grey of the padding, of 255: what the YOLO family was trained with. */
export const PADDING_GREY = 114;

export type ChannelRange = '0..1' | '0..255';
export type ChannelOrder = 'RGB' | 'BGR';

/** What a model expects in its input tensor, `[1,3,height,width]` float32. */
export interface InputFormat extends Size {
  readonly range: ChannelRange;
  readonly order: ChannelOrder;
}

/** A picture scaled to its place in the input: RGB bytes of `geometry.band`, ready to be moved to another thread. */
export interface PictureBand {
  readonly rgb: Uint8Array;
  readonly geometry: LetterboxGeometry;
}

/**
 * Decodes and scales a picture to its band of the input; runs on libuv's threads, so it overlaps with inference.
 * @throws UnreadablePictureError, PictureTooLargeError
 */
export async function decodeBand(picture: PictureInput, target: Size): Promise<PictureBand> {
  const header = picture instanceof Uint8Array ? await readPictureHeader(picture) : undefined;
  const source = header ?? (picture as Size);
  const geometry = planLetterbox({ width: source.width, height: source.height }, { width: target.width, height: target.height });
  const { width, height } = geometry.band;
  const image = await openPicture(picture, header);
  const rgb = await pixels(image.resize(width, height, { fit: 'fill', kernel: 'linear' }));
  return { rgb, geometry };
}

/** Writes bands into one reused tensor. The grey padding is kept; only the picture's band is rewritten. */
export class TensorWriter {
  readonly format: InputFormat;
  /** `[3,height,width]`, planes in the order of the format; overwritten by the next `write`. */
  readonly tensor: Float32Array;
  #last: LetterboxGeometry | undefined;

  constructor(format: InputFormat) {
    this.format = format;
    this.tensor = new Float32Array(3 * format.width * format.height);
  }

  /** Returns the reused tensor. */
  write(band: PictureBand): Float32Array {
    const { geometry, rgb } = band;
    const expected = geometry.band.width * geometry.band.height * 3;
    if (rgb.length !== expected) throw new TensorSizeError(expected, rgb.length);
    if (!samePlace(this.#last, geometry)) this.tensor.fill(PADDING_GREY * this.#scale);
    this.#last = geometry;
    if (geometry.band.width === this.format.width) this.#writeRows(band);
    else for (let row = 0; row < geometry.band.height; row++) this.#writeRow(band, row);
    return this.tensor;
  }

  get #scale(): number {
    return this.format.range === '0..1' ? 1 / 255 : 1;
  }

  /** A band as wide as the input is one run of pixels: read four pixels as three 32-bit words. */
  #writeRows(band: PictureBand): void {
    const { rgb, geometry } = band;
    const aligned = rgb.byteOffset % 4 === 0 ? rgb : new Uint8Array(rgb);
    const start = geometry.top * this.format.width;
    const done = this.#writeWords(new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2), start, aligned.length / 3);
    this.#writeBytes(rgb, done, start + done, rgb.length / 3 - done);
  }

  #writeRow(band: PictureBand, row: number): void {
    const { width } = band.geometry.band;
    const at = (band.geometry.top + row) * this.format.width + band.geometry.left;
    this.#writeBytes(band.rgb, row * width, at, width);
  }

  /** Returns the count of pixels written, a multiple of four. Little-endian, as every platform of Node is. */
  #writeWords(words: Uint32Array, start: number, count: number): number {
    const { tensor } = this;
    const scale = this.#scale;
    const [red, green, blue] = this.#planes();
    const end = start + (count & ~3);
    for (let i = start, q = 0; i < end; i += 4, q += 3) {
      const a = words[q]!;
      const b = words[q + 1]!;
      const c = words[q + 2]!;
      tensor[i + red] = (a & 255) * scale;
      tensor[i + green] = ((a >>> 8) & 255) * scale;
      tensor[i + blue] = ((a >>> 16) & 255) * scale;
      tensor[i + 1 + red] = (a >>> 24) * scale;
      tensor[i + 1 + green] = (b & 255) * scale;
      tensor[i + 1 + blue] = ((b >>> 8) & 255) * scale;
      tensor[i + 2 + red] = ((b >>> 16) & 255) * scale;
      tensor[i + 2 + green] = (b >>> 24) * scale;
      tensor[i + 2 + blue] = (c & 255) * scale;
      tensor[i + 3 + red] = ((c >>> 8) & 255) * scale;
      tensor[i + 3 + green] = ((c >>> 16) & 255) * scale;
      tensor[i + 3 + blue] = (c >>> 24) * scale;
    }
    return count & ~3;
  }

  #writeBytes(rgb: Uint8Array, fromPixel: number, at: number, count: number): void {
    const { tensor } = this;
    const scale = this.#scale;
    const [red, green, blue] = this.#planes();
    for (let i = at, j = fromPixel * 3; i < at + count; i++, j += 3) {
      tensor[i + red] = rgb[j]! * scale;
      tensor[i + green] = rgb[j + 1]! * scale;
      tensor[i + blue] = rgb[j + 2]! * scale;
    }
  }

  #planes(): readonly [number, number, number] {
    const plane = this.format.width * this.format.height;
    return this.format.order === 'RGB' ? [0, plane, 2 * plane] : [2 * plane, plane, 0];
  }
}

/** One picture to a fresh tensor `[1,3,height,width]` and the way back. For many pictures keep a `TensorWriter`. */
export async function letterbox(
  picture: PictureInput,
  format: InputFormat,
): Promise<{ tensor: Float32Array; geometry: LetterboxGeometry }> {
  const band = await decodeBand(picture, format);
  return { tensor: new TensorWriter(format).write(band), geometry: band.geometry };
}

function samePlace(a: LetterboxGeometry | undefined, b: LetterboxGeometry): boolean {
  return a !== undefined && a.left === b.left && a.top === b.top && a.band.width === b.band.width && a.band.height === b.band.height;
}

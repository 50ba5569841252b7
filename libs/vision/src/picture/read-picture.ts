import type { Sharp } from 'sharp';
import { PictureTooLargeError, UnreadablePictureError } from '../errors.ts';
import type { Size } from './geometry.ts';
import { loadSharp } from './load-sharp.ts';

/** Largest picture decoded, in pixels: an 8K camera frame is 33 million. A small file can claim far more. */
export const PICTURE_PIXELS_MAX = 40_000_000;

/** Largest side, in pixels: the limit of the JPEG format. */
export const PICTURE_SIDE_MAX = 65_535;

/** Uncompressed RGB, 8 bits a channel, rows from the top without padding. */
export interface RawPicture extends Size {
  readonly rgb: Uint8Array;
}

/** Bytes of a JPEG or PNG file, or raw RGB. */
export type PictureInput = Uint8Array | RawPicture;

export type PictureFormat = 'jpeg' | 'png';

/** What the header of an encoded picture says, after EXIF rotation. */
export interface PictureHeader extends Size {
  readonly format: PictureFormat;
  readonly rotated: boolean;
  readonly hasAlpha: boolean;
}

/**
 * From now on this process decodes JPEG and PNG only, whatever bytes it is given: for processes that meet pictures of
 * strangers. Processes that draw SVG must not call it.
 */
export async function lockDownPictureLoaders(): Promise<void> {
  const sharp = await loadSharp();
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer'] });
}

/** The format by its first bytes, so that no other loader is ever asked. */
export function pictureFormat(bytes: Uint8Array): PictureFormat | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg';
  if (bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[2] === 0x4e && bytes[3] === 0x47) return 'png';
  return undefined;
}

/**
 * Reads the header only.
 * @throws UnreadablePictureError, PictureTooLargeError
 */
export async function readPictureHeader(bytes: Uint8Array): Promise<PictureHeader> {
  const format = requireFormat(bytes);
  const sharp = await loadSharp();
  const metadata = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw new UnreadablePictureError(firstLine(cause), { cause });
    });
  const { width, height } = metadata.autoOrient;
  requirePixels(width, height);
  return { format, width, height, rotated: (metadata.orientation ?? 1) > 1, hasAlpha: metadata.hasAlpha };
}

/**
 * Decodes every pixel, so that a truncated file is found out, at the cost of a full decode.
 * @throws UnreadablePictureError, PictureTooLargeError
 */
export async function verifyPicture(bytes: Uint8Array): Promise<PictureHeader> {
  const header = await readPictureHeader(bytes);
  await pixels(await openPicture(bytes, header));
  return header;
}

/** Decodes to raw RGB at full size, upright. */
export async function decodePicture(picture: PictureInput): Promise<RawPicture> {
  if (!(picture instanceof Uint8Array)) return requireRaw(picture);
  const header = await readPictureHeader(picture);
  const rgb = await pixels(await openPicture(picture, header));
  return { rgb, width: header.width, height: header.height };
}

/** A sharp pipeline over the picture that yields upright sRGB without alpha. */
export async function openPicture(picture: PictureInput, header: PictureHeader | undefined): Promise<Sharp> {
  const sharp = await loadSharp();
  if (!(picture instanceof Uint8Array)) {
    const { width, height } = requireRaw(picture);
    return sharp(picture.rgb, { raw: { width, height, channels: 3 }, limitInputPixels: PICTURE_PIXELS_MAX });
  }
  let image = sharp(picture, { limitInputPixels: PICTURE_PIXELS_MAX, failOn: 'truncated' });
  if (header?.rotated) image = image.autoOrient();
  if (header?.hasAlpha) image = image.flatten({ background: { r: 114, g: 114, b: 114 } });
  return image.toColourspace('srgb');
}

/** Runs the pipeline to RGB bytes; grey pictures get three equal channels. */
export async function pixels(image: Sharp): Promise<Uint8Array> {
  const { data, info } = await image
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw new UnreadablePictureError(firstLine(cause), { cause });
    });
  if (info.channels === 3) return data;
  if (info.channels === 1) return tripled(data);
  throw new UnreadablePictureError(`${info.channels} colour channels`);
}

function tripled(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0, j = 0; i < grey.length; i++, j += 3) rgb.fill(grey[i]!, j, j + 3);
  return rgb;
}

function requireFormat(bytes: Uint8Array): PictureFormat {
  const format = pictureFormat(bytes);
  if (format === undefined) throw new UnreadablePictureError(bytes.length === 0 ? 'no bytes' : 'neither JPEG nor PNG by its first bytes');
  return format;
}

function requireRaw(picture: RawPicture): RawPicture {
  requirePixels(picture.width, picture.height);
  const expected = picture.width * picture.height * 3;
  if (picture.rgb.length !== expected) throw new UnreadablePictureError(`raw RGB of ${picture.rgb.length} bytes, expected ${expected}`);
  return picture;
}

function requirePixels(width: number, height: number): void {
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw new UnreadablePictureError(`size ${width} x ${height}`);
  }
  const fits = width <= PICTURE_SIDE_MAX && height <= PICTURE_SIDE_MAX && width * height <= PICTURE_PIXELS_MAX;
  if (!fits) throw new PictureTooLargeError(width, height, PICTURE_PIXELS_MAX);
}

function firstLine(cause: unknown): string {
  const text = String((cause as { message?: unknown } | null)?.message ?? cause);
  return text.split('\n')[0]!.slice(0, 200);
}

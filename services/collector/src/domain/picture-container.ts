import type { Rejection } from './manifest-claims.ts';

/** What the container says about itself, read without decoding a pixel. */
export interface Container {
  readonly format: 'jpeg' | 'png';
  readonly width: number;
  readonly height: number;
  /** Offset of the first byte after the picture. */
  readonly end: number;
}

/** Some cameras fill the last block with zeros; anything else behind a picture is a second file in disguise. */
const PADDING_BYTES_MAX = 65_536;

/** Refuses what is no plain JPEG or PNG of a sane size; only what passes is given to a decoder. */
export function judgeContainer(bytes: Uint8Array, pixelsMax: number): Rejection | undefined {
  const container = readContainer(bytes);
  if (container === undefined) return { cause: 'no-picture', reason: 'neither a whole JPEG nor a whole PNG' };
  const { width, height, end } = container;
  if (width * height > pixelsMax)
    return { cause: 'too-many-pixels', reason: `${width} x ${height} pixels, at most ${pixelsMax} are decoded` };
  if (width === 0 || height === 0) return { cause: 'no-picture', reason: 'a picture without a pixel' };
  const rest = bytes.length - end;
  if (rest > PADDING_BYTES_MAX || bytes.subarray(end).some((byte) => byte !== 0)) {
    return { cause: 'trailing-bytes', reason: `${rest} bytes follow the end of the ${container.format}` };
  }
  return undefined;
}

/** Undefined when the bytes are no JPEG or PNG, or end before the picture does. */
export function readContainer(bytes: Uint8Array): Container | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (startsWith(bytes, PNG_MAGIC)) return readPng(view);
  if (startsWith(bytes, JPEG_MAGIC)) return readJpeg(view);
  return undefined;
}

const JPEG_MAGIC = [0xff, 0xd8, 0xff];
const PNG_MAGIC = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const PNG_IHDR = 0x49484452;
const PNG_IEND = 0x49454e44;

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, index) => bytes[index] === byte);
}

/** Chunks: length, type, data, checksum. IHDR comes first and holds width and height. */
function readPng(view: DataView): Container | undefined {
  let size: { width: number; height: number } | undefined;
  for (let at = PNG_MAGIC.length; at + 12 <= view.byteLength;) {
    const length = view.getUint32(at);
    const type = view.getUint32(at + 4);
    const next = at + 12 + length;
    if (next > view.byteLength) return undefined;
    if (type === PNG_IHDR && length === 13) size = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
    if (size === undefined) return undefined;
    if (type === PNG_IEND) return { format: 'png', ...size, end: next };
    at = next;
  }
  return undefined;
}

const EOI = 0xd9;
const SOS = 0xda;

/** Segments: marker, length, data; after each start-of-scan follow entropy-coded bytes up to the next real marker. */
function readJpeg(view: DataView): Container | undefined {
  let size: { width: number; height: number } | undefined;
  for (let at = 2; at + 2 <= view.byteLength;) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === EOI) return size === undefined ? undefined : { format: 'jpeg', ...size, end: at + 2 };
    if (isLone(marker)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    if (at + 4 > view.byteLength) return undefined;
    const next = at + 2 + view.getUint16(at + 2);
    if (isFrameHeader(marker) && at + 9 <= view.byteLength) size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at = marker === SOS ? afterScan(view, next) : next;
  }
  return undefined;
}

/** Fill bytes, restart markers and TEM have no length. */
function isLone(marker: number): boolean {
  return marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

/** SOF0 to SOF15 but for DHT, JPG and DAC. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Within a scan, 0xff is followed by zero (a stuffed byte) or a restart marker. */
function afterScan(view: DataView, from: number): number {
  for (let at = from; at + 2 <= view.byteLength; at++) {
    if (view.getUint8(at) !== 0xff) continue;
    const marker = view.getUint8(at + 1);
    if (marker !== 0 && marker !== 0xff && !(marker >= 0xd0 && marker <= 0xd7)) return at;
  }
  return view.byteLength;
}

import sharp from 'sharp';

/** One size of a sprite: RGBA, colour already multiplied by its alpha, so that scaling never bleeds. */
export interface Level {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/**
 * A picture with transparency in halving sizes (each level half of the one before), so that
 * any smaller size can be drawn by reading four neighbours of the next larger level.
 */
export interface Sprite {
  readonly levels: readonly Level[];
  readonly width: number;
  readonly height: number;
  /** Opaque pixels (alpha at least one half) of the largest level. */
  readonly solid: number;
}

const LEVEL_SIDE_MIN = 6;
const OPAQUE = 128;

/** Rasterises an SVG and trims what is fully transparent, so that a sprite's edge is its art's edge. */
export async function spriteFromSvg(svg: string): Promise<Sprite> {
  const { data, info } = await sharp(Buffer.from(svg)).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return spriteFromRgba({ width: info.width, height: info.height, data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.length) });
}

/** The same without trimming: a backdrop keeps its place. */
export async function layerFromSvg(svg: string): Promise<Level> {
  const { data, info } = await sharp(Buffer.from(svg)).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return premultiplied({ width: info.width, height: info.height, data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.length) });
}

export function spriteFromRgba(picture: Level): Sprite {
  const largest = premultiplied(trimmed(picture));
  const levels = [largest];
  for (let last = largest; Math.min(last.width, last.height) >= LEVEL_SIDE_MIN * 2;) {
    last = halved(last);
    levels.push(last);
  }
  return { levels, width: largest.width, height: largest.height, solid: solidPixels(largest) };
}

function premultiplied(picture: Level): Level {
  const data = new Uint8ClampedArray(picture.data.length);
  for (let at = 0; at < data.length; at += 4) {
    const alpha = picture.data[at + 3]! / 255;
    data[at] = picture.data[at]! * alpha;
    data[at + 1] = picture.data[at + 1]! * alpha;
    data[at + 2] = picture.data[at + 2]! * alpha;
    data[at + 3] = picture.data[at + 3]!;
  }
  return { ...picture, data };
}

function trimmed(picture: Level): Level {
  let left = picture.width;
  let right = -1;
  let top = picture.height;
  let bottom = -1;
  for (let y = 0; y < picture.height; y += 1) {
    for (let x = 0; x < picture.width; x += 1) {
      if (picture.data[(y * picture.width + x) * 4 + 3]! < OPAQUE) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return picture;
  const width = right - left + 1;
  const height = bottom - top + 1;
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    const from = ((top + y) * picture.width + left) * 4;
    data.set(picture.data.subarray(from, from + width * 4), y * width * 4);
  }
  return { width, height, data };
}

function halved(level: Level): Level {
  const width = level.width >> 1;
  const height = level.height >> 1;
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const from = (y * 2 * level.width + x * 2) * 4;
      for (let channel = 0; channel < 4; channel += 1) {
        const at = from + channel;
        const below = at + level.width * 4;
        data[(y * width + x) * 4 + channel] = (level.data[at]! + level.data[at + 4]! + level.data[below]! + level.data[below + 4]!) / 4;
      }
    }
  }
  return { width, height, data };
}

function solidPixels(level: Level): number {
  let solid = 0;
  for (let at = 3; at < level.data.length; at += 4) if (level.data[at]! >= OPAQUE) solid += 1;
  return solid;
}

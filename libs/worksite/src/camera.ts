import sharp from 'sharp';
import { chanceOf, hashOf, normalOf } from './domain/chance.ts';

/** Sensor noise in broad daylight, standard deviation of 255. */
const DAY_NOISE = 1.6;
export const JPEG_QUALITY = 85;

/**
 * Night as the whole product means it: brightness x .28, colour x .15, Gaussian blur 1.1 px, Gaussian noise of
 * standard deviation 9 of 255, in that order.
 */
export const NIGHT = { brightness: 0.28, colour: 0.15, blurPx: 1.1, noise: 9 } as const;

/** Shares of red, green and blue in what the eye calls brightness (ITU-R 601). */
const LUMA = [0.299, 0.587, 0.114] as const;
const BLUR_PX_MIN = 0.3;
const NOISE_TABLE = 1 << 16;

let noiseTable: Float32Array | null = null;

export interface Raw {
  readonly pixels: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** What the camera makes of a drawn frame: dimmed as far as `light` says, noisy, as JPEG. The same request gives the same bytes. */
export async function photograph(frame: Raw, light: number, name: string): Promise<Buffer> {
  const dark = 1 - light;
  const pixels = dark > 0 ? await dimmed(frame, dark) : frame.pixels;
  const noise = DAY_NOISE + (NIGHT.noise - DAY_NOISE) * dark;
  addNoise(pixels, noise, hashOf('noise', name));
  return sharp(pixels, { raw: { width: frame.width, height: frame.height, channels: 3 } })
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer();
}

/** Brightness, colour and blur are linear, so one matrix and one blur do what three steps would. */
async function dimmed(frame: Raw, dark: number): Promise<Uint8Array> {
  const brightness = 1 + (NIGHT.brightness - 1) * dark;
  const colour = 1 + (NIGHT.colour - 1) * dark;
  const row = (own: number): [number, number, number] =>
    LUMA.map((share, channel) => brightness * (share * (1 - colour) + (channel === own ? colour : 0))) as [number, number, number];
  const picture = sharp(frame.pixels, { raw: { width: frame.width, height: frame.height, channels: 3 } }).recomb([row(0), row(1), row(2)]);
  const blurPx = NIGHT.blurPx * dark;
  return (blurPx >= BLUR_PX_MIN ? picture.blur(blurPx) : picture).raw().toBuffer();
}

/** Adds noise from a table that is read from a seeded place on, three values a pixel. */
function addNoise(pixels: Uint8Array | Uint8ClampedArray, deviation: number, seed: number): void {
  const table = (noiseTable ??= madeNoise());
  let at = seed % NOISE_TABLE;
  const step = ((seed >>> 16) & 0x7ffe) | 1;
  for (let index = 0; index < pixels.length; index += 1) {
    const value = pixels[index]! + table[at]! * deviation + 0.5;
    pixels[index] = value < 0 ? 0 : value > 255 ? 255 : value;
    at = (at + step) & (NOISE_TABLE - 1);
  }
}

function madeNoise(): Float32Array {
  const chance = chanceOf('noise-table');
  return Float32Array.from({ length: NOISE_TABLE }, () => normalOf(chance));
}

import { encodeJpeg, NIGHT, nightOf } from '@edgeloop/vision';
import { chanceOf, hashOf, normalOf } from './domain/chance.ts';

/** Sensor noise in broad daylight, standard deviation of 255. */
const DAY_NOISE = 1.6;
const JPEG_QUALITY = 85;
const NOISE_TABLE = 1 << 16;

/** Shares of red, green and blue in what the eye calls brightness (ITU-R 601). */
const LUMA = { red: 0.299, green: 0.587, blue: 0.114 } as const;

export interface Raw {
  /** RGB, row by row. */
  readonly pixels: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/**
 * What the camera makes of a drawn frame, as JPEG; `name` seeds the noise, so the same request gives the same bytes.
 * @param light 1 = day; 0 = night, exactly the night that the product turns photos into; between = dusk, on the way there
 */
export async function photograph(frame: Raw, light: number, name: string): Promise<Uint8Array> {
  const picture = { rgb: bytesOf(frame.pixels), width: frame.width, height: frame.height };
  const seed = hashOf('noise', name);
  if (light === 0) return nightOf(picture, seed);
  if (light < 1) dim(frame.pixels, 1 - light);
  addNoise(frame.pixels, DAY_NOISE + (NIGHT.noiseSigma - DAY_NOISE) * (1 - light), seed);
  return encodeJpeg(picture, JPEG_QUALITY);
}

/** Dusk: part of the way to the night's brightness and colour, in place. */
function dim(pixels: Uint8ClampedArray, dark: number): void {
  const brightness = 1 + (NIGHT.brightness - 1) * dark;
  const colour = 1 + (NIGHT.colour - 1) * dark;
  for (let at = 0; at < pixels.length; at += 3) {
    const grey = LUMA.red * pixels[at]! + LUMA.green * pixels[at + 1]! + LUMA.blue * pixels[at + 2]!;
    for (let channel = at; channel < at + 3; channel += 1) pixels[channel] = brightness * (grey + colour * (pixels[channel]! - grey));
  }
}

/** Adds noise from a table that is read from a seeded place on, three values a pixel, in place. */
function addNoise(pixels: Uint8ClampedArray, deviation: number, seed: number): void {
  const table = (noiseTable ??= madeNoise());
  const step = ((seed >>> 16) & 0x7ffe) | 1;
  for (let index = 0, at = seed % NOISE_TABLE; index < pixels.length; index += 1, at = (at + step) & (NOISE_TABLE - 1)) {
    pixels[index] = pixels[index]! + table[at]! * deviation;
  }
}

let noiseTable: Float32Array | null = null;

function madeNoise(): Float32Array {
  const chance = chanceOf('noise-table');
  return Float32Array.from({ length: NOISE_TABLE }, () => normalOf(chance));
}

function bytesOf(pixels: Uint8ClampedArray): Uint8Array {
  return new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.length);
}

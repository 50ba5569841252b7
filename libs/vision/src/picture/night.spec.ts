import { describe, expect, it } from '@jest/globals';
import { UnreadablePictureError } from '../errors.ts';
import { NIGHT, encodeJpeg, nightOf } from './night.ts';
import { decodePicture } from './read-picture.ts';
import type { RawPicture } from './read-picture.ts';

const even = (colour: readonly number[], side = 128): RawPicture => ({
  rgb: Uint8Array.from({ length: side * side * 3 }, (_, i) => colour[i % 3]!),
  width: side,
  height: side,
});

/** Mean and standard deviation of one channel. */
function moments({ rgb }: RawPicture, channel: number): { mean: number; deviation: number } {
  const values = [...rgb].filter((_, i) => i % 3 === channel);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
}

describe('nightOf', () => {
  it('darkens to 28 percent and adds noise', async () => {
    const night = await decodePicture(await nightOf(even([200, 200, 200]), 1));
    const { mean, deviation } = moments(night, 1);
    expect(Math.abs(mean - 200 * NIGHT.brightness)).toBeLessThan(1);
    // JPEG takes a part of the noise away.
    expect(deviation).toBeGreaterThan(4);
    expect(deviation).toBeLessThan(12);
  });

  it('leaves 15 percent of the colour', async () => {
    const night = await decodePicture(await nightOf(even([250, 50, 50]), 1));
    const spread = moments(night, 0).mean - moments(night, 2).mean;
    expect(Math.abs(spread - 200 * NIGHT.brightness * NIGHT.colour)).toBeLessThan(2);
  });

  it('blurs an edge', async () => {
    const edge = even([0, 0, 0]);
    edge.rgb.fill(255, (edge.rgb.length / 2) | 0);
    const { rgb } = await decodePicture(await nightOf(edge, 1));
    const row = (y: number) => rgb.subarray(y * 384, (y + 1) * 384).reduce((sum, value) => sum + value, 0) / 384;
    expect(row(63)).toBeGreaterThan(row(58) + 5);
    expect(row(64)).toBeLessThan(row(69) - 5);
  });

  it('gives the same bytes for the same seed, others for another', async () => {
    const photo = await encodeJpeg(even([120, 90, 60]), 90);
    const [once, again, other] = await Promise.all([nightOf(photo, 7), nightOf(photo, 7), nightOf(photo, 8)]);
    expect(Buffer.from(once).equals(again)).toBe(true);
    expect(Buffer.from(once).equals(other)).toBe(false);
  });

  it('refuses what is no picture', async () => {
    await expect(nightOf(Uint8Array.of(1), 1)).rejects.toBeInstanceOf(UnreadablePictureError);
  });
});

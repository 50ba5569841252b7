import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { nightOf } from './night.ts';
import { pictureStats } from './picture-stats.ts';
import type { RawPicture } from './read-picture.ts';

/** Bits in which two hashes differ. */
function hammingDistance(a: string, b: string): number {
  let bits = 0;
  for (let differing = BigInt(`0x${a}`) ^ BigInt(`0x${b}`); differing > 0n; differing &= differing - 1n) bits++;
  return bits;
}

function painted(width: number, height: number, luma: (x: number, y: number) => number): RawPicture {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) rgb.fill(luma(i % width, Math.floor(i / width)), i * 3, i * 3 + 3);
  return { rgb, width, height };
}

const site = painted(400, 300, (x, y) => 128 + 60 * Math.sin(x / 23) + 50 * Math.cos(y / 17) + (((x >> 3) + (y >> 3)) % 2) * 18 - 9);
const edited = (edit: (image: Sharp) => Sharp) =>
  edit(sharp(site.rgb, { raw: { width: 400, height: 300, channels: 3 } }))
    .jpeg()
    .toBuffer();

describe('pictureStats', () => {
  it.each([
    [0, 0],
    [255, 1],
    [51, 0.2],
  ])('of an even picture of level %i: brightness %f, no contrast, no sharpness', async (level, brightness) => {
    const stats = await pictureStats(painted(64, 48, () => level));
    expect(stats.brightness).toBeCloseTo(brightness, 5);
    expect(stats.contrast).toBeCloseTo(0, 5);
    expect(stats.sharpness).toBeCloseTo(0, 5);
    expect(stats.hash).toBe('0000000000000000');
  });

  it('weighs the channels as the eye does', async () => {
    const green = { rgb: Uint8Array.from({ length: 300 }, (_, i) => (i % 3 === 1 ? 255 : 0)), width: 10, height: 10 };
    expect((await pictureStats(green)).brightness).toBeCloseTo(0.587, 3);
  });

  it('has the greatest contrast for half black, half white', async () => {
    expect((await pictureStats(painted(64, 64, (x) => (x < 32 ? 0 : 255)))).contrast).toBeCloseTo(0.5, 2);
  });

  it('loses sharpness with blur, brightness and little else with darkness', async () => {
    const [day, soft] = await Promise.all([pictureStats(site), pictureStats(await edited((image) => image.blur(8)))]);
    const night = await pictureStats(await nightOf(site, 1));
    expect(soft.sharpness).toBeLessThan(day.sharpness / 2);
    expect(night.brightness).toBeLessThan(0.2);
    expect(night.brightness).toBeGreaterThan(0.08);
  });

  it('hashes the same scene alike through JPEG, scale and light, and another scene otherwise', async () => {
    const { hash } = await pictureStats(site);
    const other = await pictureStats(painted(400, 300, (x, y) => 128 + 100 * Math.sin((x + 2 * y) / 31)));
    const again = await pictureStats(await edited((image) => image.jpeg({ quality: 60 })));
    const smaller = await pictureStats(await edited((image) => image.resize(200, 150)));
    const darker = await pictureStats(await edited((image) => image.linear(0.6, 0)));
    for (const stats of [again, smaller, darker]) expect(hammingDistance(hash, stats.hash)).toBeLessThanOrEqual(4);
    expect(hammingDistance(hash, other.hash)).toBeGreaterThan(12);
  });

  it.each([
    [1, 1],
    [2, 300],
    [300, 2],
  ])('takes a picture of %i x %i', async (width, height) => {
    const stats = await pictureStats(painted(width, height, (x, y) => (x + y) % 256));
    expect(Object.values(stats).every((value) => typeof value === 'string' || Number.isFinite(value))).toBe(true);
  });
});

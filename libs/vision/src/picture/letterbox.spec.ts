import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';
import { TensorSizeError } from '../errors.ts';
import { planLetterbox } from './geometry.ts';
import { PADDING_GREY, TensorWriter, decodeBand, letterbox } from './letterbox.ts';
import type { InputFormat, PictureBand } from './letterbox.ts';

/** Pixel by pixel, as one would explain it. */
function slowTensor({ rgb, geometry }: PictureBand, format: InputFormat): Float32Array {
  const { width, height } = format;
  const scale = format.range === '0..1' ? 1 / 255 : 1;
  const out = new Float32Array(3 * width * height).fill(PADDING_GREY * scale);
  for (let y = 0; y < geometry.band.height; y++) {
    for (let x = 0; x < geometry.band.width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const plane = format.order === 'RGB' ? channel : 2 - channel;
        out[plane * width * height + (y + geometry.top) * width + x + geometry.left] =
          rgb[(y * geometry.band.width + x) * 3 + channel]! * scale;
      }
    }
  }
  return out;
}

const format = fc.record<InputFormat>({
  width: fc.integer({ min: 1, max: 40 }),
  height: fc.integer({ min: 1, max: 40 }),
  range: fc.constantFrom('0..1', '0..255'),
  order: fc.constantFrom('RGB', 'BGR'),
});

const bandFor = (target: InputFormat): fc.Arbitrary<PictureBand> =>
  fc
    .record({ width: fc.integer({ min: 1, max: 90 }), height: fc.integer({ min: 1, max: 90 }), shift: fc.integer({ min: 0, max: 3 }) })
    .chain(({ width, height, shift }) => {
      const geometry = planLetterbox({ width, height }, target);
      const bytes = geometry.band.width * geometry.band.height * 3;
      return fc
        .uint8Array({ minLength: bytes + shift, maxLength: bytes + shift })
        .map((memory) => ({ geometry, rgb: memory.subarray(shift) }));
    });

describe('TensorWriter', () => {
  it('writes what the slow form writes, whatever picture came before and wherever the bytes lie in memory', () => {
    const cases = format.chain((target) => fc.tuple(fc.constant(target), fc.array(bandFor(target), { minLength: 1, maxLength: 4 })));
    fc.assert(
      fc.property(cases, ([target, bands]) => {
        const writer = new TensorWriter(target);
        for (const band of bands)
          expect(Buffer.compare(Buffer.from(writer.write(band).buffer), Buffer.from(slowTensor(band, target).buffer))).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('reuses its tensor', () => {
    const target: InputFormat = { width: 4, height: 4, range: '0..1', order: 'RGB' };
    const writer = new TensorWriter(target);
    const band = { geometry: planLetterbox({ width: 4, height: 2 }, target), rgb: new Uint8Array(24) };
    expect(writer.write(band)).toBe(writer.write(band));
  });

  it('refuses a band of another size', () => {
    const target: InputFormat = { width: 4, height: 4, range: '0..1', order: 'RGB' };
    const band = { geometry: planLetterbox({ width: 4, height: 2 }, target), rgb: new Uint8Array(23) };
    expect(() => new TensorWriter(target).write(band)).toThrow(TensorSizeError);
  });
});

describe('letterbox', () => {
  const target: InputFormat = { width: 32, height: 32, range: '0..255', order: 'RGB' };
  const red = { create: { width: 64, height: 32, channels: 3, background: { r: 255, g: 0, b: 0 } } } as const;

  it('pads above and below with grey', async () => {
    const { tensor, geometry } = await letterbox(await sharp(red).png().toBuffer(), target);
    expect(geometry).toMatchObject({ band: { width: 32, height: 16 }, top: 8, left: 0 });
    const pixel = (x: number, y: number) => [0, 1, 2].map((plane) => tensor[plane * 1024 + y * 32 + x]);
    expect(pixel(5, 7)).toEqual([114, 114, 114]);
    expect(pixel(5, 8)).toEqual([255, 0, 0]);
    expect(pixel(31, 23)).toEqual([255, 0, 0]);
    expect(pixel(31, 24)).toEqual([114, 114, 114]);
  });

  it.each<[string, () => Promise<Uint8Array>, number[]]>([
    ['a grey JPEG', () => sharp(red).greyscale().jpeg().toBuffer(), [127, 127, 127]],
    ['a CMYK JPEG', () => sharp(red).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer(), [255, 0, 0]],
    ['a 16-bit PNG', () => sharp(red).toColourspace('rgb16').png().toBuffer(), [255, 0, 0]],
    ['a PNG with a palette', () => sharp(red).png({ palette: true }).toBuffer(), [255, 0, 0]],
    [
      'a transparent PNG',
      () =>
        sharp({ create: { ...red.create, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } } })
          .png()
          .toBuffer(),
      [114, 114, 114],
    ],
    ['a progressive JPEG', () => sharp(red).jpeg({ progressive: true, quality: 100 }).toBuffer(), [254, 0, 0]],
  ])('reads %s', async (_, picture, expected) => {
    const { rgb } = await decodeBand(await picture(), target);
    expect(rgb).toHaveLength(32 * 16 * 3);
    for (const [channel, value] of expected.entries()) expect(Math.abs(rgb[channel]! - value)).toBeLessThan(25);
  });

  it('turns a picture upright as its EXIF data says, and sizes it so', async () => {
    const sideways = await sharp(red).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const { geometry } = await decodeBand(sideways, target);
    expect(geometry.source).toEqual({ width: 32, height: 64 });
    expect(geometry.band).toEqual({ width: 16, height: 32 });
  });

  it('takes raw RGB', async () => {
    const { rgb } = await decodeBand({ rgb: new Uint8Array(64 * 64 * 3).fill(7), width: 64, height: 64 }, target);
    expect([...new Set(rgb)]).toEqual([7]);
  });
});

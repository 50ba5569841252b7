import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';
import { judgeContainer, readContainer } from './picture-container.ts';

const PIXELS_MAX = 1_000_000;
const noise = {
  create: { width: 61, height: 37, channels: 3 as const, background: '#888', noise: { type: 'gaussian' as const, mean: 128, sigma: 40 } },
};
const jpeg = await sharp(noise).jpeg({ quality: 90 }).toBuffer();
const progressive = await sharp(noise).jpeg({ progressive: true, quality: 60 }).toBuffer();
const withExif = await sharp(noise)
  .withExif({ IFD0: { Copyright: 'x'.repeat(500) } })
  .jpeg()
  .toBuffer();
const png = await sharp(noise).png().toBuffer();

function cause(bytes: Uint8Array): string | undefined {
  return judgeContainer(bytes, PIXELS_MAX)?.cause;
}

/** A PNG whose header claims a size that it does not have. */
function pngClaiming(width: number, height: number): Buffer {
  const bytes = Buffer.from(png);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

describe('the container of a picture', () => {
  it.each([
    ['a JPEG', jpeg, 'jpeg'],
    ['a progressive JPEG with several scans', progressive, 'jpeg'],
    ['a JPEG with EXIF', withExif, 'jpeg'],
    ['a PNG', png, 'png'],
  ])('of %s is read to its end', (_name, bytes, format) => {
    expect(readContainer(bytes)).toEqual({ format, width: 61, height: 37, end: bytes.length });
    expect(cause(bytes)).toBeUndefined();
  });

  it('is refused when the picture is cut short', () => {
    for (const whole of [jpeg, progressive, png]) {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
          expect(cause(whole.subarray(0, length))).toBe('no-picture');
        }),
      );
    }
  });

  it('is refused when a second file hides behind the picture', () => {
    expect(cause(Buffer.concat([png, Buffer.from('PK\u0003\u0004 an archive')]))).toBe('trailing-bytes');
    expect(cause(Buffer.concat([jpeg, Buffer.from('<script>')]))).toBe('trailing-bytes');
    expect(cause(Buffer.concat([jpeg, png]))).toBe('trailing-bytes');
    expect(cause(Buffer.concat([jpeg, Buffer.alloc(70_000)]))).toBe('trailing-bytes');
  });

  it('may be filled up with zeros', () => {
    expect(cause(Buffer.concat([jpeg, Buffer.alloc(512)]))).toBeUndefined();
  });

  it('is refused for the size it claims, before a pixel is decoded', () => {
    expect(cause(pngClaiming(1_000, 1_000))).toBeUndefined();
    expect(cause(pngClaiming(1_000, 1_001))).toBe('too-many-pixels');
    expect(cause(pngClaiming(60_000, 60_000))).toBe('too-many-pixels');
    expect(cause(pngClaiming(0, 10))).toBe('no-picture');
  });

  it('is refused when it is something else', () => {
    const others = ['', 'GIF89a......', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'RIFF....WEBPVP8 ', '\x89PNG\r\n\x1a\n'];
    for (const other of others) expect(cause(Buffer.from(other, 'latin1'))).toBe('no-picture');
  });

  it('never fails on any bytes behind the right first ones', () => {
    fc.assert(
      fc.property(
        fc.constantFrom([0xff, 0xd8, 0xff], [...png.subarray(0, 16)], [...jpeg.subarray(0, 200)]),
        fc.uint8Array({ maxLength: 300 }),
        (head, tail) => {
          judgeContainer(Buffer.from([...head, ...tail]), PIXELS_MAX);
        },
      ),
    );
  });
});

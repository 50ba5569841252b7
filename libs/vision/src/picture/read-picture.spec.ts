import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';
import { PictureTooLargeError, UnreadablePictureError, VisionError } from '../errors.ts';
import { decodePicture, pictureFormat, readPictureHeader, verifyPicture } from './read-picture.ts';

const noise = Uint8Array.from({ length: 96 * 64 * 3 }, (_, i) => (i * 7919) % 251);
const image = () => sharp(noise, { raw: { width: 96, height: 64, channels: 3 } });
const svg = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>');

/** A PNG whose header claims any size, in 57 bytes. */
function pngBomb(width: number, height: number): Uint8Array {
  const bytes = Buffer.from(
    '89504e470d0a1a0a0000000d4948445200000000000000000802000000000000000000000049444154000000000000000049454e44ae426082',
    'hex',
  );
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

describe('reading a picture', () => {
  it('knows JPEG and PNG by their first bytes', async () => {
    expect(pictureFormat(await image().jpeg().toBuffer())).toBe('jpeg');
    expect(pictureFormat(await image().png().toBuffer())).toBe('png');
    expect(pictureFormat(new Uint8Array())).toBeUndefined();
  });

  it('decodes to the pixels that were put in', async () => {
    const { rgb, width, height } = await decodePicture(await image().png().toBuffer());
    expect({ width, height }).toEqual({ width: 96, height: 64 });
    expect(Buffer.from(rgb).equals(noise)).toBe(true);
  });

  it.each<[string, () => Promise<Uint8Array> | Uint8Array]>([
    ['no bytes', () => new Uint8Array()],
    ['text', () => new TextEncoder().encode('<html>404</html>')],
    ['SVG, which could name other files', () => svg],
    ['GIF', () => image().gif().toBuffer()],
    ['WebP', () => image().webp().toBuffer()],
    ['TIFF', () => image().tiff().toBuffer()],
    ['a JPEG header without a picture', () => Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16)],
    ['a PNG without its data', () => pngBomb(10, 10)],
    ['a PNG of no width', () => pngBomb(0, 10)],
    ['SVG behind the first bytes of a JPEG', () => Buffer.concat([Uint8Array.of(0xff, 0xd8, 0xff), svg])],
  ])('refuses %s', async (_, bytes) => {
    await expect(verifyPicture(await bytes())).rejects.toBeInstanceOf(UnreadablePictureError);
  });

  it.each(['jpeg', 'png'] as const)('refuses a %s cut off in the middle', async (kind) => {
    const whole = await image()[kind]().toBuffer();
    await expect(verifyPicture(whole)).resolves.toMatchObject({ format: kind, width: 96, height: 64 });
    await expect(verifyPicture(whole.subarray(0, whole.length >> 1))).rejects.toBeInstanceOf(UnreadablePictureError);
  });

  it('refuses a small file that claims many pixels before decoding it', async () => {
    await expect(readPictureHeader(pngBomb(60_000, 60_000))).rejects.toBeInstanceOf(PictureTooLargeError);
    await expect(decodePicture(pngBomb(100_000, 10))).rejects.toBeInstanceOf(PictureTooLargeError);
  });

  it.each([
    { rgb: new Uint8Array(11), width: 2, height: 2 },
    { rgb: new Uint8Array(0), width: 0, height: 0 },
    { rgb: new Uint8Array(12), width: 1.5, height: 2 },
  ])('refuses raw RGB that does not match its size', async (raw) => {
    await expect(decodePicture(raw)).rejects.toBeInstanceOf(UnreadablePictureError);
  });

  it('answers any damage with a picture or a typed error', async () => {
    const whole = await image().jpeg().toBuffer();
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        const outcome = await decodePicture(bytes).catch((error: unknown) => error);
        expect(outcome instanceof VisionError || (outcome as { width: number }).width > 0).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe('lockDownPictureLoaders', () => {
  it('leaves a process JPEG and PNG alone, whatever is asked of sharp', () => {
    const script = `
      import sharp from 'sharp';
      import { lockDownPictureLoaders, decodePicture } from '@edgeloop/vision';
      const svg = Buffer.from(${JSON.stringify(Buffer.from(svg).toString())});
      const tryIt = (work) => work.then(() => 'reads', () => 'refuses');
      const raw = { raw: { width: 8, height: 8, channels: 3 } };
      const pictures = await Promise.all(['jpeg', 'png', 'gif', 'webp', 'tiff'].map((kind) => sharp(Buffer.alloc(192), raw)[kind]().toBuffer()));
      const before = await tryIt(sharp(svg).raw().toBuffer());
      await lockDownPictureLoaders();
      const after = await tryIt(sharp(svg).raw().toBuffer());
      const kinds = await Promise.all(pictures.map((picture) => tryIt(sharp(picture).raw().toBuffer())));
      const rawPicture = await tryIt(decodePicture({ rgb: new Uint8Array(12), width: 2, height: 2 }));
      console.log(JSON.stringify([before, after, ...kinds, rawPicture]));`;
    const args = ['--conditions=@edgeloop/source', '--input-type=module', '--eval', script];
    const child = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' });
    expect(child.stderr).not.toMatch(/Error/);
    expect(JSON.parse(child.stdout)).toEqual(['reads', 'refuses', 'reads', 'reads', 'refuses', 'refuses', 'refuses', 'reads']);
  });
});

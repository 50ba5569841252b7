import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { DecoderFailedError } from '../domain/errors.ts';
import { ChildDecoder } from './child-decoder.ts';

const blank = { create: { width: 40, height: 30, channels: 3 as const, background: '#678' } };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeloop-decoder-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function program(text: string): Promise<string> {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
  await writeFile(path, text);
  return path;
}

describe('the decoder process', () => {
  const decoder = new ChildDecoder({ pixelsMax: 100_000, decodeMsMax: 30_000 });
  afterAll(() => decoder.close());

  it('decodes JPEG and PNG, one after the other', async () => {
    const pictures = [await sharp(blank).jpeg().toBuffer(), await sharp(blank).png().toBuffer()];
    const answers = await Promise.all([...pictures, ...pictures].map((picture) => decoder.decode(picture)));
    expect(answers).toEqual(Array.from({ length: 4 }, () => ({ ok: true, width: 40, height: 30 })));
  });

  it('refuses a picture that is cut short', async () => {
    const noise = { ...blank.create, width: 200, height: 200, noise: { type: 'gaussian' as const, mean: 128, sigma: 40 } };
    const whole = await sharp({ create: noise }).jpeg({ quality: 95 }).toBuffer();
    expect(await decoder.decode(whole)).toMatchObject({ ok: true });
    expect(await decoder.decode(whole.subarray(0, whole.length / 2))).toMatchObject({ ok: false });
  });

  it('refuses more pixels than the limit', async () => {
    const large = await sharp({ create: { ...blank.create, width: 400, height: 251 } })
      .png()
      .toBuffer();
    expect(await decoder.decode(large)).toMatchObject({ ok: false, reason: expect.stringContaining('pixel limit') });
  });

  it.each(['webp', 'gif', 'tiff', 'svg'])('has no loader for %s', async (format) => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    const bytes =
      format === 'svg'
        ? svg
        : await sharp(blank)
            .toFormat(format as 'webp')
            .toBuffer();
    expect(await decoder.decode(bytes)).toMatchObject({ ok: false, reason: expect.stringContaining('unsupported image format') });
  });
});

describe('a decoder process that fails', () => {
  it('says that it died, and the next picture gets a new one', async () => {
    const path = await program(`import { existsSync, writeFileSync } from 'node:fs';
      const mark = ${JSON.stringify(join(folder, 'died-once'))};
      process.on('message', ({ id }) => {
        if (!existsSync(mark)) { writeFileSync(mark, ''); process.kill(process.pid, 'SIGKILL'); return; }
        process.send({ id, ok: true, width: 1, height: 1 });
      });
      process.on('disconnect', () => process.exit(0));`);
    const decoder = new ChildDecoder({ pixelsMax: 1, decodeMsMax: 30_000, program: path });
    await expect(decoder.decode(Buffer.from('x'))).rejects.toMatchObject({ name: DecoderFailedError.name, how: 'died', retryable: true });
    expect(await decoder.decode(Buffer.from('x'))).toEqual({ ok: true, width: 1, height: 1 });
    await decoder.close();
  });

  it('is ended when it hangs', async () => {
    const path = await program(`process.on('message', () => { for (;;); });`);
    const decoder = new ChildDecoder({ pixelsMax: 1, decodeMsMax: 300, program: path });
    await expect(decoder.decode(Buffer.from('x'))).rejects.toMatchObject({ name: DecoderFailedError.name, how: 'hung' });
    await decoder.close();
  });

  it('keeps nobody waiting when the service stops', async () => {
    const path = await program(`process.on('message', () => undefined); process.on('disconnect', () => process.exit(0));`);
    const decoder = new ChildDecoder({ pixelsMax: 1, decodeMsMax: 600_000, program: path });
    const pending = decoder.decode(Buffer.from('x')).catch((failure: unknown) => failure);
    await new Promise((resolve) => setImmediate(resolve));
    await decoder.close();
    expect(await pending).toMatchObject({ name: DecoderFailedError.name });
    await expect(decoder.decode(Buffer.from('x'))).rejects.toMatchObject({ name: DecoderFailedError.name });
  });
});

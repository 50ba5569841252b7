/**
 * Runs as a process of its own: image decoders are the likeliest thing here to be broken into by a picture. It holds no key, gets bytes
 * and says width and height. Loaders other than JPEG and PNG are switched off.
 */
import sharp from 'sharp';
import type { DecodeAnswer, DecodeRequest } from './decoder-protocol.ts';

sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer'] });
sharp.cache(false);
sharp.concurrency(1);

async function decode({ id, bytes, pixelsMax }: DecodeRequest): Promise<DecodeAnswer> {
  try {
    // Every pixel is decoded, and every complaint counts: a picture that was cut and given an end is only a warning to the decoder.
    const image = sharp(bytes, { limitInputPixels: pixelsMax, failOn: 'warning' });
    const { info } = await image.raw().toBuffer({ resolveWithObject: true });
    return { id, ok: true, width: info.width, height: info.height };
  } catch (failure) {
    return { id, ok: false, reason: failure instanceof Error ? failure.message : String(failure) };
  }
}

process.on('message', (request: DecodeRequest) => {
  void decode(request).then((answer) => process.send?.(answer));
});
// The parent is gone, however it went.
process.on('disconnect', () => process.exit(0));

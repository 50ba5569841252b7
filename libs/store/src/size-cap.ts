import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ObjectTooLargeError } from './errors.ts';
import type { ObjectAt } from './object-store.ts';

/** Passes bytes on and fails at the first byte above the cap: a size that a server claims is not believed. */
export function capped(at: ObjectAt, source: Readable, bytesMax: number): Readable {
  let seen = 0;
  const cap = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      seen += chunk.length;
      if (seen > bytesMax) done(new ObjectTooLargeError(at, bytesMax));
      else done(null, chunk);
    },
  });
  // The reader of `cap` sees the failure; this promise would only say it twice.
  pipeline(source, cap).catch(() => undefined);
  return cap;
}

export async function gather(source: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

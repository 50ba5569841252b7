import type { ObjectRef } from '@edgeloop/contracts';
import { digestOf } from './digest.ts';
import { DigestMismatchError } from './errors.ts';
import type { ObjectStore } from './object-store.ts';

/** Reads exactly what the reference names. @throws ObjectNotFoundError, ObjectTooLargeError, DigestMismatchError */
export async function readVerified(store: ObjectStore, ref: ObjectRef): Promise<Uint8Array> {
  const bytes = await store.read(ref, { bytesMax: ref.bytes });
  const actual = digestOf(bytes);
  if (actual !== ref.digest) throw new DigestMismatchError(ref, ref.digest, actual);
  return bytes;
}

/** Stores a value as UTF-8 JSON text under the key made from its digest. */
export function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

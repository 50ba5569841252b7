import { Readable } from 'node:stream';
import type { ObjectRef } from '@edgeloop/contracts';
import { digestOf } from './digest.ts';
import { AlreadyExistsWithOtherBytesError, DigestMismatchError, ObjectNotFoundError, ObjectTooLargeError } from './errors.ts';
import {
  READ_BYTES_MAX,
  type ObjectAt,
  type ObjectInfo,
  type ObjectStore,
  type OpenObject,
  type PutOptions,
  type ReadLimits,
} from './object-store.ts';

interface Held {
  readonly info: ObjectInfo;
  readonly bytes: Uint8Array;
}

/** Behaves as the S3 adapter does (one suite is run against both), for specs of what uses a store. */
export class MemoryObjectStore implements ObjectStore {
  readonly #objects = new Map<string, Held>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  async put(at: ObjectAt, bytes: Uint8Array, options: PutOptions = {}): Promise<ObjectRef> {
    const digest = digestOf(bytes);
    if (options.digest !== undefined && options.digest !== digest) throw new DigestMismatchError(at, options.digest, digest);
    const held = this.#objects.get(nameOf(at));
    const replace = options.mode === 'replace';
    if (held !== undefined && !replace && held.info.digest !== digest) {
      throw new AlreadyExistsWithOtherBytesError(at, digest, held.info.digest ?? '');
    }
    if (held === undefined || replace) this.#hold({ bucket: at.bucket, key: at.key, digest, bytes: bytes.length }, bytes);
    return { bucket: at.bucket, key: at.key, digest, bytes: bytes.length };
  }

  async read(at: ObjectAt, limits: ReadLimits = {}): Promise<Uint8Array> {
    return Buffer.from(this.#find(at, limits).bytes);
  }

  async open(at: ObjectAt, limits: ReadLimits = {}): Promise<OpenObject> {
    const { bytes } = this.#find(at, limits);
    return { bytes: bytes.length, body: Readable.from([Buffer.from(bytes)], { objectMode: false }) };
  }

  async head(at: ObjectAt): Promise<ObjectInfo | undefined> {
    return this.#objects.get(nameOf(at))?.info;
  }

  async *list(bucket: string, prefix: string): AsyncIterable<ObjectInfo> {
    const found = [...this.#objects.values()]
      .map(({ info }) => info)
      .filter((info) => info.bucket === bucket && info.key.startsWith(prefix));
    for (const { key, bytes, modifiedAtMs } of found.toSorted((a, b) => (a.key < b.key ? -1 : 1)))
      yield { bucket, key, bytes, modifiedAtMs };
  }

  async delete(at: ObjectAt): Promise<void> {
    this.#objects.delete(nameOf(at));
  }

  /** A `data:` link: it really gives the bytes, and it cannot expire. */
  async presignGet(at: ObjectAt): Promise<string> {
    return `data:application/octet-stream;base64,${Buffer.from(this.#find(at, {}).bytes).toString('base64')}`;
  }

  #hold(ref: ObjectRef, bytes: Uint8Array): void {
    this.#objects.set(nameOf(ref), { info: { ...ref, modifiedAtMs: this.#now() }, bytes: Buffer.from(bytes) });
  }

  #find(at: ObjectAt, { bytesMax = READ_BYTES_MAX }: ReadLimits): Held {
    const held = this.#objects.get(nameOf(at));
    if (held === undefined) throw new ObjectNotFoundError(at);
    if (held.bytes.length > bytesMax) throw new ObjectTooLargeError(at, bytesMax);
    return held;
  }
}

function nameOf(at: ObjectAt): string {
  return `${at.bucket}/${at.key}`;
}

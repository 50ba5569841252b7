import type { Digest } from '@edgeloop/contracts';
import { AlreadyExistsWithOtherBytesError, ObjectNotFoundError, ObjectTooLargeError, type ObjectStore } from '@edgeloop/store';
import {
  ArtifactConflictError,
  ArtifactMissingError,
  ArtifactTooLargeError,
  type ArtifactInfo,
  type ArtifactRepository,
  type ArtifactWrite,
} from '../ports.ts';

/** An artifact repository that is a bucket: a path is a key. */
export class BucketArtifactRepository implements ArtifactRepository {
  readonly #store: ObjectStore;
  readonly #bucket: string;

  constructor(store: ObjectStore, bucket: string) {
    this.#store = store;
    this.#bucket = bucket;
  }

  async put(path: string, bytes: Uint8Array, write: ArtifactWrite): Promise<{ digest: Digest; bytes: number }> {
    try {
      return await this.#store.put(this.#at(path), bytes, write);
    } catch (cause) {
      if (cause instanceof AlreadyExistsWithOtherBytesError) throw new ArtifactConflictError(path, { cause });
      throw cause;
    }
  }

  async head(path: string): Promise<ArtifactInfo | undefined> {
    const found = await this.#store.head(this.#at(path));
    return found && { path, bytes: found.bytes };
  }

  async get(path: string, bytesMax: number): Promise<Uint8Array> {
    try {
      return await this.#store.read(this.#at(path), { bytesMax });
    } catch (cause) {
      if (cause instanceof ObjectNotFoundError) throw new ArtifactMissingError(path, { cause });
      if (cause instanceof ObjectTooLargeError) throw new ArtifactTooLargeError(path, bytesMax, { cause });
      throw cause;
    }
  }

  async *list(prefix: string): AsyncIterable<ArtifactInfo> {
    for await (const found of this.#store.list(this.#bucket, prefix)) yield { path: found.key, bytes: found.bytes };
  }

  #at(key: string): { bucket: string; key: string } {
    return { bucket: this.#bucket, key };
  }
}

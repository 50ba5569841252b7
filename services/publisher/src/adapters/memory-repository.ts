import type { Digest } from '@edgeloop/contracts';
import { digestOf } from '@edgeloop/store';
import {
  ArtifactConflictError,
  ArtifactMissingError,
  ArtifactTooLargeError,
  type ArtifactInfo,
  type ArtifactRepository,
  type ArtifactWrite,
} from '../ports.ts';

/** Behaves as the bucket does (one suite is run against both), for specs of what publishes. */
export class MemoryArtifactRepository implements ArtifactRepository {
  readonly files = new Map<string, Buffer>();

  put(path: string, bytes: Uint8Array, write: ArtifactWrite): Promise<{ digest: Digest; bytes: number }> {
    const held = this.files.get(path);
    if (held !== undefined && write.mode === 'create' && !held.equals(bytes)) return Promise.reject(new ArtifactConflictError(path));
    this.files.set(path, Buffer.from(bytes));
    return Promise.resolve({ digest: digestOf(bytes), bytes: bytes.byteLength });
  }

  head(path: string): Promise<ArtifactInfo | undefined> {
    const held = this.files.get(path);
    return Promise.resolve(held && { path, bytes: held.byteLength });
  }

  get(path: string, bytesMax: number): Promise<Uint8Array> {
    const held = this.files.get(path);
    if (held === undefined) return Promise.reject(new ArtifactMissingError(path));
    if (held.byteLength > bytesMax) return Promise.reject(new ArtifactTooLargeError(path, bytesMax));
    return Promise.resolve(Buffer.from(held));
  }

  async *list(prefix: string): AsyncIterable<ArtifactInfo> {
    for (const path of [...this.files.keys()].filter((name) => name.startsWith(prefix)).toSorted())
      yield { path, bytes: (this.files.get(path) as Buffer).byteLength };
  }
}

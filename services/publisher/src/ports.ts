import type { Digest } from '@edgeloop/contracts';

export interface ArtifactInfo {
  readonly path: string;
  readonly bytes: number;
}

export interface ArtifactWrite {
  /** `create`: never overwrites, the same bytes again are a success. `replace`: for `metadata/timestamp.json` alone. */
  readonly mode: 'create' | 'replace';
  readonly contentType: string;
}

/**
 * Where releases live: static files under paths, in a bucket, in Artifactory, or behind any web server. Errors that trying again
 * may mend carry `retryable: true`.
 */
export interface ArtifactRepository {
  /** @throws ArtifactConflictError */
  put(path: string, bytes: Uint8Array, write: ArtifactWrite): Promise<{ readonly digest: Digest; readonly bytes: number }>;
  /** Undefined when there is none. */
  head(path: string): Promise<ArtifactInfo | undefined>;
  /** @throws ArtifactMissingError, ArtifactTooLargeError */
  get(path: string, bytesMax: number): Promise<Uint8Array>;
  /** All files whose path starts with the prefix, in order of their paths. */
  list(prefix: string): AsyncIterable<ArtifactInfo>;
}

/** The path holds other bytes, and what was published never changes. */
export class ArtifactConflictError extends Error {
  override readonly name = 'ArtifactConflictError';
  readonly retryable = false;
  readonly path: string;
  constructor(path: string, options?: ErrorOptions) {
    super(`${path} lies in the artifact repository with other bytes, and published files never change`, options);
    this.path = path;
  }
}

export class ArtifactMissingError extends Error {
  override readonly name = 'ArtifactMissingError';
  readonly retryable = false;
  readonly path: string;
  constructor(path: string, options?: ErrorOptions) {
    super(`${path} is not in the artifact repository: restore it from a copy`, options);
    this.path = path;
  }
}

export class ArtifactTooLargeError extends Error {
  override readonly name = 'ArtifactTooLargeError';
  readonly retryable = false;
  readonly path: string;
  constructor(path: string, bytesMax: number, options?: ErrorOptions) {
    super(`${path} is larger than ${bytesMax} bytes`, options);
    this.path = path;
  }
}

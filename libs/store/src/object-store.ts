import type { Readable } from 'node:stream';
import type { Digest, ObjectRef } from '@edgeloop/contracts';

export interface ObjectAt {
  readonly bucket: string;
  readonly key: string;
}

export interface ObjectInfo extends ObjectAt {
  readonly bytes: number;
  readonly modifiedAtMs: number;
  /** Where the server keeps one; listings never have it. */
  readonly digest?: Digest;
}

export interface PutOptions {
  readonly contentType?: string;
  /** What the caller believes the bytes to be; other bytes are refused before anything is sent. */
  readonly digest?: Digest;
  /** `create` (default): never overwrites. `replace`: for the few names that must move, such as trust metadata. */
  readonly mode?: 'create' | 'replace';
}

export interface ReadLimits {
  /** More bytes than this are refused, whatever the object's size claims. Default `READ_BYTES_MAX`. */
  readonly bytesMax?: number;
}

export interface OpenObject {
  readonly bytes: number;
  readonly body: Readable;
}

/** Bytes of one object that a read takes into memory unless told otherwise: a whole package fits. */
export const READ_BYTES_MAX = 256 * 1024 * 1024;
/** S3 signs no link for longer. */
export const PRESIGN_SECONDS_MAX = 7 * 86_400;

/** Bytes by bucket and key. Every method may throw `StoreForbiddenError` and (retryable) `StoreUnavailableError`. */
export interface ObjectStore {
  /** Same bytes again is a success. @throws AlreadyExistsWithOtherBytesError, DigestMismatchError */
  put(at: ObjectAt, bytes: Uint8Array, options?: PutOptions): Promise<ObjectRef>;
  /** @throws ObjectNotFoundError, ObjectTooLargeError */
  read(at: ObjectAt, limits?: ReadLimits): Promise<Uint8Array>;
  /** For bytes that should not be in memory at once. @throws ObjectNotFoundError, ObjectTooLargeError (also from the body) */
  open(at: ObjectAt, limits?: ReadLimits): Promise<OpenObject>;
  /** Undefined when there is none. */
  head(at: ObjectAt): Promise<ObjectInfo | undefined>;
  /** All objects whose key starts with the prefix, in key order, page by page. */
  list(bucket: string, prefix: string): AsyncIterable<ObjectInfo>;
  /** Deleting what is not there is a success. */
  delete(at: ObjectAt): Promise<void>;
  /** A link that reads the object without a key of one's own until it expires. */
  presignGet(at: ObjectAt, expiresInSeconds: number): Promise<string>;
}

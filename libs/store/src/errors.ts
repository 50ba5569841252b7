import type { ObjectAt } from './object-store.ts';

/** Base of everything the object store can refuse with; `retryable` says whether the same call may succeed later. */
export abstract class ObjectStoreError extends Error {
  abstract readonly retryable: boolean;
  readonly bucket: string;
  readonly key: string;
  constructor(at: ObjectAt, message: string, options?: ErrorOptions) {
    super(`${at.bucket}/${at.key}: ${message}`, options);
    this.bucket = at.bucket;
    this.key = at.key;
  }
}

export class ObjectNotFoundError extends ObjectStoreError {
  override readonly name = 'ObjectNotFoundError';
  readonly retryable = false;
  constructor(at: ObjectAt, options?: ErrorOptions) {
    super(at, 'there is no such object', options);
  }
}

export class AlreadyExistsWithOtherBytesError extends ObjectStoreError {
  override readonly name = 'AlreadyExistsWithOtherBytesError';
  readonly retryable = false;
  readonly offered: string;
  readonly stored: string;
  constructor(at: ObjectAt, offered: string, stored: string) {
    super(at, `holds ${stored} and is never overwritten; store ${offered} under a key of its own`);
    this.offered = offered;
    this.stored = stored;
  }
}

/** The codes with which servers say that temporary credentials have ended: SeaweedFS says `InvalidAccessKeyId`, AWS `ExpiredToken`. */
const SESSION_ENDED_CODES = new Set(['InvalidAccessKeyId', 'ExpiredToken', 'ExpiredTokenException', 'InvalidClientTokenId']);

export function saysSessionEnded(code: string): boolean {
  return SESSION_ENDED_CODES.has(code);
}

export class StoreForbiddenError extends ObjectStoreError {
  override readonly name = 'StoreForbiddenError';
  readonly retryable = false;
  /** What the server called it, for example `AccessDenied`, `InvalidAccessKeyId`, `SignatureDoesNotMatch`. */
  readonly code: string;
  constructor(at: ObjectAt, code: string, options?: ErrorOptions) {
    super(at, `the store refuses (${code}); check the access key and its rights on the bucket`, options);
    this.code = code;
  }
}

export class StoreUnavailableError extends ObjectStoreError {
  override readonly name = 'StoreUnavailableError';
  readonly retryable = true;
  readonly code: string;
  readonly attempts: number;
  constructor(at: ObjectAt, code: string, attempts: number, options?: ErrorOptions) {
    super(at, `the store did not answer well (${code}, ${attempts} attempts); try again later`, options);
    this.code = code;
    this.attempts = attempts;
  }
}

export class ObjectTooLargeError extends ObjectStoreError {
  override readonly name = 'ObjectTooLargeError';
  readonly retryable = false;
  readonly bytesMax: number;
  constructor(at: ObjectAt, bytesMax: number) {
    super(at, `is larger than the ${bytesMax} bytes that are read here`);
    this.bytesMax = bytesMax;
  }
}

export class DigestMismatchError extends ObjectStoreError {
  override readonly name = 'DigestMismatchError';
  readonly retryable = false;
  readonly expected: string;
  readonly actual: string;
  constructor(at: ObjectAt, expected: string, actual: string) {
    super(at, `has ${actual} where ${expected} was expected; the bytes were damaged or replaced`);
    this.expected = expected;
    this.actual = actual;
  }
}

/** The server understood the request and says it makes no sense: a fault of ours, not of the moment. */
export class StoreRejectedError extends ObjectStoreError {
  override readonly name = 'StoreRejectedError';
  readonly retryable = false;
  readonly code: string;
  constructor(at: ObjectAt, code: string, options?: ErrorOptions) {
    super(at, `the store rejects the request (${code})`, options);
    this.code = code;
  }
}

export class InvalidObjectKeyError extends Error {
  override readonly name = 'InvalidObjectKeyError';
  readonly retryable = false;
  readonly segment: string;
  constructor(segment: string) {
    super(`${JSON.stringify(segment)} cannot be a part of an object key: use letters, digits, ".", "_" and "-", and neither "." nor ".."`);
    this.segment = segment;
  }
}

/** Metadata roles of TUF's top level. */
export type MetadataRole = 'root' | 'timestamp' | 'snapshot' | 'targets';

/** Base of every refusal of the update client. None of them touches the model that runs. */
export abstract class TrustError extends Error {
  /** Stable name for reports and tables. */
  abstract readonly code: string;
  /** True where the same question may be answered later without anybody changing the repository on purpose. */
  abstract readonly retryable: boolean;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Nothing new was signed for too long, or somebody hides it. What runs keeps running; it is shown as stale. */
export class MetadataExpiredError extends TrustError {
  readonly code = 'metadata-expired';
  readonly retryable = true;
  readonly role: MetadataRole;

  constructor(role: MetadataRole, options?: ErrorOptions) {
    super(`${role} metadata has expired: the publisher must sign anew (is it running?), or this machine's clock is ahead`, options);
    this.role = role;
  }
}

/** Older metadata than was seen before. */
export class RollbackError extends TrustError {
  readonly code = 'metadata-rollback';
  readonly retryable = false;

  constructor(detail: string, options?: ErrorOptions) {
    super(`metadata goes back in time (${detail}): the repository was restored from an old copy, or somebody offers old releases`, options);
  }
}

/** Fewer good signatures than the trusted root demands. */
export class SignatureError extends TrustError {
  readonly code = 'metadata-signature';
  readonly retryable = false;

  constructor(detail: string, options?: ErrorOptions) {
    super(`metadata is not signed by the trusted keys (${detail})`, options);
  }
}

/** Parts of different moments, or bytes other than those that were signed for. */
export class MetadataMismatchError extends TrustError {
  readonly code = 'metadata-mismatch';
  readonly retryable = true;

  constructor(detail: string, options?: ErrorOptions) {
    super(`metadata files do not belong together (${detail})`, options);
  }
}

/** No metadata at all: broken JSON, wrong type, a date that is none. */
export class MetadataUnreadableError extends TrustError {
  readonly code = 'metadata-unreadable';
  readonly retryable = false;

  constructor(detail: string, options?: ErrorOptions) {
    super(`metadata cannot be read (${detail})`, options);
  }
}

/** More bytes than any honest metadata file has. */
export class MetadataTooLargeError extends TrustError {
  readonly code = 'metadata-too-large';
  readonly retryable = false;
  readonly path: string;
  readonly bytesMax: number;

  constructor(path: string, bytesMax: number) {
    super(`${path} is larger than ${bytesMax} bytes; it was not read further`);
    this.path = path;
    this.bytesMax = bytesMax;
  }
}

/** The sender drips. */
export class MetadataTooSlowError extends TrustError {
  readonly code = 'metadata-too-slow';
  readonly retryable = true;
  readonly path: string;

  constructor(path: string, bytesMin: number, windowMs: number) {
    super(`${path} came slower than ${bytesMin} bytes in ${windowMs} ms; the link is too slow now`);
    this.path = path;
  }
}

/** There is no link to the file, or the link does not give it. */
export class MetadataUnavailableError extends TrustError {
  readonly code = 'metadata-unavailable';
  readonly retryable = true;
  readonly path: string;
  readonly status: number | undefined;

  constructor(path: string, detail: string, status?: number, options?: ErrorOptions) {
    super(`${path} cannot be fetched: ${detail}`, options);
    this.path = path;
    this.status = status;
  }
}

/** This machine's disk refused to keep the metadata; what was trusted before still is. */
export class MetadataPersistError extends TrustError {
  readonly code = 'metadata-persist';
  readonly retryable = true;

  constructor(detail: string, options?: ErrorOptions) {
    super(`metadata cannot be kept on disk (${detail}); free space or check the disk`, options);
  }
}

/** The signed list of releases does not name this one. */
export class TargetUnknownError extends TrustError {
  readonly code = 'target-unknown';
  readonly retryable = true;
  readonly path: string;

  constructor(path: string) {
    super(`${path} is not among the signed targets`);
    this.path = path;
  }
}

/** The target is signed, but not by a digest that this client checks. */
export class TargetDigestError extends TrustError {
  readonly code = 'target-digest';
  readonly retryable = false;
  readonly path: string;

  constructor(path: string) {
    super(`${path} is signed without a SHA-256, so its bytes cannot be checked`);
    this.path = path;
  }
}

/** The root that the node was given at enrollment is none. */
export class ShippedRootError extends TrustError {
  readonly code = 'shipped-root';
  readonly retryable = false;

  constructor(detail: string, options?: ErrorOptions) {
    super(`the trust root handed out at enrollment cannot be used (${detail}); enroll this node again`, options);
  }
}

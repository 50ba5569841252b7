export {
  READ_BYTES_MAX,
  type ObjectAt,
  type ObjectInfo,
  type ObjectStore,
  type OpenObject,
  type PutOptions,
  type ReadLimits,
} from './object-store.ts';
export {
  AlreadyExistsWithOtherBytesError,
  DigestMismatchError,
  InvalidObjectKeyError,
  ObjectNotFoundError,
  ObjectStoreError,
  ObjectTooLargeError,
  StoreForbiddenError,
  StoreRejectedError,
  StoreUnavailableError,
} from './errors.ts';
export { checksumOf, digestFromChecksum, digestFromHex, digestOf, hexOf, sha256Hex } from './digest.ts';
export { contentKey, keyOf, sampleKey, samplePrefix } from './keys.ts';
export { jsonBytes, readVerified } from './read-verified.ts';
export { MemoryObjectStore } from './memory-store.ts';
export { S3ObjectStore, s3Client, type S3Address } from './s3-store.ts';
export { STORE_RETRIES, type RetryLimits } from './retries.ts';
export { DATASETS_BUCKET, RELEASES_BUCKET, RUNS_BUCKET, SAMPLES_BUCKET, grantsFromConfig, storeFromConfig } from './factories.ts';
export { createSealingKeys, openSealed, sealFor, UnsealableError, type Sealed, type SealingKeys } from './upload/seal.ts';
export { proveWriteOnly, UploadRightsTooWideError, type TrialResult } from './upload/prove-write-only.ts';
export { StsUploadGrants, type StsUploadGrantsOptions } from './upload/sts-upload-grants.ts';
export {
  RENEW_AT_SHARE,
  UPLOAD_SESSION_MS,
  type SessionCredentials,
  type UploadGrants,
  type UploadSession,
} from './upload/upload-session.ts';
export {
  SampleUploader,
  type HeldGrant,
  type ObtainGrant,
  type SampleUploaderOptions,
  type UploadOutcome,
} from './upload/sample-uploader.ts';

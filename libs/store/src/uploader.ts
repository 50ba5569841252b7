/** The part of the store that a node needs: it loads no AWS SDK. */
export { digestFromHex, digestOf, hexOf, sha256Hex } from './digest.ts';
export { keyOf, sampleKey, samplePrefix } from './keys.ts';
export { createSealingKeys, openSealed, sealFor, UnsealableError, type Sealed, type SealingKeys } from './upload/seal.ts';
export {
  SampleUploader,
  type HeldGrant,
  type ObtainGrant,
  type SampleUploaderOptions,
  type UploadOutcome,
} from './upload/sample-uploader.ts';
export { RENEW_AT_SHARE, UPLOAD_SESSION_MS, type SessionCredentials } from './upload/upload-session.ts';

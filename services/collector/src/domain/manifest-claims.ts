import type { SampleManifest } from '@edgeloop/contracts';

/** Why a sample is not accepted. */
export type QuarantineCause =
  | 'wrong-bucket'
  | 'wrong-key'
  | 'too-large'
  | 'object-missing'
  | 'wrong-size'
  | 'wrong-digest'
  | 'no-picture'
  | 'too-many-pixels'
  | 'trailing-bytes'
  | 'undecodable'
  | 'wrong-dimensions'
  | 'decoder-stuck';

/** What the node can mend by sending object and manifest again. */
const MENDABLE: ReadonlySet<string> = new Set<QuarantineCause>(['object-missing', 'decoder-stuck']);

export function isFinal(cause: string): boolean {
  return !MENDABLE.has(cause);
}

/** What sending the manifest again does not mend. */
export function needsUpload(cause: string): boolean {
  return cause === ('object-missing' satisfies QuarantineCause);
}

export interface Rejection {
  readonly cause: QuarantineCause;
  readonly reason: string;
}

export interface IntakeLimits {
  readonly bucket: string;
  readonly objectBytesMax: number;
}

/**
 * Checks what the manifest claims before any byte is fetched: an object below the node's own prefix, under its hash.
 * `nodeId` is the name that the bus vouches for.
 */
export function judgeClaims(manifest: SampleManifest, nodeId: string, limits: IntakeLimits): Rejection | undefined {
  const { object, sampleId, campaignId } = manifest;
  if (object.bucket !== limits.bucket) return { cause: 'wrong-bucket', reason: `samples lie in ${limits.bucket}, not in ${object.bucket}` };
  const key = `${nodeId}/${campaignId}/${sampleId}.jpg`;
  if (object.key !== key) return { cause: 'wrong-key', reason: `the key must be ${key}` };
  if (object.digest !== `sha256:${sampleId}`)
    return { cause: 'wrong-digest', reason: 'the sample id is not the hash that the manifest claims' };
  if (object.bytes > limits.objectBytesMax)
    return { cause: 'too-large', reason: `${object.bytes} bytes, at most ${limits.objectBytesMax} are taken` };
  return undefined;
}

export interface StoredObject {
  readonly digest: string;
  readonly bytes: number;
}

/** Compares the object that is really stored with the claim. */
export function judgeObject(manifest: SampleManifest, stored: StoredObject): Rejection | undefined {
  const { object } = manifest;
  if (stored.bytes !== object.bytes)
    return { cause: 'wrong-size', reason: `${stored.bytes} bytes are stored, ${object.bytes} were claimed` };
  if (stored.digest !== object.digest) return { cause: 'wrong-digest', reason: `the stored object is ${stored.digest}` };
  return undefined;
}

/** A camera that turns its pictures may count width and height the other way round. */
export function judgeDimensions(manifest: SampleManifest, decoded: { width: number; height: number }): Rejection | undefined {
  const { width, height } = manifest.picture;
  const same = (width === decoded.width && height === decoded.height) || (width === decoded.height && height === decoded.width);
  if (same) return undefined;
  return { cause: 'wrong-dimensions', reason: `the picture is ${decoded.width} x ${decoded.height}, ${width} x ${height} were claimed` };
}

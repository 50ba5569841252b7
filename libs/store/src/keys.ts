import type { Digest } from '@edgeloop/contracts';
import { hexOf } from './digest.ts';
import { InvalidObjectKeyError } from './errors.ts';

const SEGMENT = /^[A-Za-z0-9._-]{1,200}$/;

/** Joins segments to a key; servers fold `//`, refuse `..` and make folders of a trailing `/`, so none of these can be built. */
export function keyOf(...segments: readonly string[]): string {
  if (segments.length === 0) throw new InvalidObjectKeyError('');
  for (const segment of segments) {
    if (!SEGMENT.test(segment) || segment === '.' || segment === '..') throw new InvalidObjectKeyError(segment);
  }
  return segments.join('/');
}

/** `<folder>/<sha256>.<extension>`: the key names the bytes, so it never has to be overwritten. */
export function contentKey(folder: string, digest: Digest, extension: string): string {
  return keyOf(folder, `${hexOf(digest)}.${extension}`);
}

/** Where the samples of one node in one campaign lie; upload rights end here. Ends in `/`. */
export function samplePrefix(nodeId: string, campaignId: string): string {
  return `${keyOf(nodeId, campaignId)}/`;
}

/** Key of one sample; `sampleId` is the SHA-256 of its bytes. */
export function sampleKey(nodeId: string, campaignId: string, sampleId: string): string {
  return keyOf(nodeId, campaignId, `${sampleId}.jpg`);
}

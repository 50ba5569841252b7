import { createHash } from 'node:crypto';
import type { Digest } from '@edgeloop/contracts';

const PREFIX = 'sha256:';

/** 64 lower-case hex digits. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** `sha256:<hex>`, as everywhere on the bus. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `${PREFIX}${sha256Hex(bytes)}`;
}

/** The hex digits of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice(PREFIX.length);
}

export function digestFromHex(hex: string): Digest {
  return `${PREFIX}${hex}`;
}

/** The base64 that S3 wants in `x-amz-checksum-sha256`. */
export function checksumOf(digest: Digest): string {
  return Buffer.from(hexOf(digest), 'hex').toString('base64');
}

export function digestFromChecksum(checksum: string): Digest {
  return `${PREFIX}${Buffer.from(checksum, 'base64').toString('hex')}`;
}

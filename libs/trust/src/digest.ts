import { createHash } from 'node:crypto';

const PREFIX = 'sha256:';

/** 64 lower-case hex digits, as TUF and key ids write it. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** `sha256:<hex>`, as everywhere on the bus. */
export function digestOf(bytes: Uint8Array): string {
  return `${PREFIX}${sha256Hex(bytes)}`;
}

/** The hex digits of a digest. */
export function hexOf(digest: string): string {
  return digest.slice(PREFIX.length);
}

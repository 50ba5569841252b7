import { MetadataUnreadableError } from './tuf-errors.ts';

const EXPIRES = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;
const THRESHOLD_MAX = 64;

interface RootBody {
  readonly keys?: Record<string, { keyval?: { public?: unknown } }>;
  readonly roles?: Record<string, { threshold?: unknown }>;
}

/**
 * What the library leaves open: dates in a form that another parser reads otherwise, versions that are no counting numbers,
 * and a root in which one key counts twice or nobody needs to sign. Throws `MetadataUnreadableError`.
 */
export function assertSoundMetadata(path: string, bytes: Buffer): void {
  const signed = readSigned(path, bytes);
  const { expires, version } = signed;
  if (typeof expires !== 'string' || !EXPIRES.test(expires) || Number.isNaN(Date.parse(expires)))
    throw new MetadataUnreadableError(`${path}: "expires" is no UTC date-time`);
  if (!Number.isSafeInteger(version) || (version as number) < 1)
    throw new MetadataUnreadableError(`${path}: "version" is no positive whole number`);
  if (signed['_type'] === 'root') assertSoundRoot(path, signed as RootBody);
}

function readSigned(path: string, bytes: Buffer): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new MetadataUnreadableError(`${path} is no JSON`, { cause });
  }
  const signed = (parsed as { signed?: unknown } | null)?.signed;
  if (typeof signed !== 'object' || signed === null) throw new MetadataUnreadableError(`${path} has no "signed" part`);
  return signed as Record<string, unknown>;
}

function assertSoundRoot(path: string, root: RootBody): void {
  const publicKeys = Object.values(root.keys ?? {}).map((key) => JSON.stringify(key.keyval?.public));
  if (new Set(publicKeys).size !== publicKeys.length) throw new MetadataUnreadableError(`${path} lists one key under two ids`);
  for (const [role, { threshold }] of Object.entries(root.roles ?? {})) {
    if (!Number.isSafeInteger(threshold) || (threshold as number) < 1 || (threshold as number) > THRESHOLD_MAX)
      throw new MetadataUnreadableError(`${path}: role ${role} has threshold ${String(threshold)}`);
  }
}

import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256Hex } from './digest.ts';
import type { MetadataRole } from './tuf-errors.ts';

const KEY_FILE_MODE = 0o600;
const KEY_FOLDER_MODE = 0o700;
const OTHERS = 0o077;
/** DER of an Ed25519 public key is this many bytes of header, then the 32 bytes of the key. */
const SPKI_HEADER_BYTES = 12;

export const METADATA_ROLES: readonly MetadataRole[] = ['root', 'targets', 'snapshot', 'timestamp'];

/** Somebody else on this machine could read the key. */
export class KeyFileExposedError extends Error {
  override readonly name = 'KeyFileExposedError';
  readonly retryable = false;
  readonly path: string;
  readonly mode: number;
  constructor(path: string, mode: number) {
    super(
      `${path} has mode 0${(mode & 0o777).toString(8)}: other users may have read this key. Make a new one, or if you are sure: chmod 600 ${path}`,
    );
    this.path = path;
    this.mode = mode;
  }
}

export class KeyFileUnreadableError extends Error {
  override readonly name = 'KeyFileUnreadableError';
  readonly retryable = false;
  readonly path: string;
  constructor(path: string, cause: unknown) {
    super(`${path} is no Ed25519 private key in PEM (PKCS 8): put the right file back`, { cause });
    this.path = path;
  }
}

/** An Ed25519 key that signs; its private half stays inside. */
export interface Signer {
  /** TUF key id: SHA-256 of the canonical JSON of the public key, hex. */
  readonly keyId: string;
  /** 32 bytes, hex. */
  readonly publicKey: string;
  sign(bytes: Uint8Array): Buffer;
}

/** One key a role, so that each can be moved to another machine or replaced alone. */
export type RepositoryKeys = Readonly<Record<MetadataRole, Signer>>;

export function signerOf(privateKey: KeyObject): Signer {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(SPKI_HEADER_BYTES).toString('hex');
  const canonical = `{"keytype":"ed25519","keyval":{"public":"${publicKey}"},"scheme":"ed25519"}`;
  return {
    keyId: sha256Hex(canonical),
    publicKey,
    sign: (bytes) => sign(null, bytes, privateKey),
  };
}

export function newSigner(): Signer {
  return signerOf(generateKeyPairSync('ed25519').privateKey);
}

/** The repository's keys: `<folder>/<role>.pem`, made at the first start, mode 0600 in a folder of mode 0700. Safe to race. */
export async function loadOrMakeKeys(folder: string): Promise<RepositoryKeys> {
  await mkdir(folder, { recursive: true, mode: KEY_FOLDER_MODE });
  const entries: [MetadataRole, Signer][] = [];
  for (const role of METADATA_ROLES) entries.push([role, await loadOrMakeKey(join(folder, `${role}.pem`))]);
  return Object.fromEntries(entries) as Record<MetadataRole, Signer>;
}

export async function loadOrMakeKey(path: string): Promise<Signer> {
  return (await loadKey(path)) ?? (await makeKey(path));
}

async function loadKey(path: string): Promise<Signer | undefined> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw cause;
  });
  if (found === undefined) return undefined;
  if ((found.mode & OTHERS) !== 0) throw new KeyFileExposedError(path, found.mode);
  const pem = await readFile(path, 'utf8');
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') throw new TypeError(`the key is ${key.asymmetricKeyType}`);
    return signerOf(key);
  } catch (cause) {
    throw new KeyFileUnreadableError(path, cause);
  }
}

/** Written whole under another name, then linked: a process that was killed leaves no half key, and of two that race one wins. */
async function makeKey(path: string): Promise<Signer> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  const draft = `${path}.${randomUUID()}.draft`;
  const handle = await open(draft, 'w', KEY_FILE_MODE);
  try {
    await handle.writeFile(pem);
    await handle.chmod(KEY_FILE_MODE);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(dirname(path));
  const made = await loadKey(path);
  if (made === undefined) throw new KeyFileUnreadableError(path, new Error('the file vanished'));
  return made;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { errorCode, replaceFile, syncDirectory, syncTree } from './durable-files.ts';

/** Lists every file of a slot with its hash: finds a disk that forgets. (What may be installed is decided by signatures, before.) */
const SEAL = 'slot-seal.json';
const Seal = z.object({ packageDigest: z.string(), files: z.record(z.string(), z.string()) });

/** A slot is not what was put there. */
export class SlotDamagedError extends Error {
  override readonly name = 'SlotDamagedError';
  readonly retryable = false;
  readonly packageDigest: string;
  readonly file: string;
  constructor(packageDigest: string, file: string, problem: string) {
    super(`slot ${packageDigest}: ${file} ${problem}`);
    this.packageDigest = packageDigest;
    this.file = file;
  }
}

/**
 * `slots/<digest>/` are immutable trees, `current` is a symlink to the one that serves. A slot appears whole by one rename, the
 * pointer moves by one rename: at every system call there is exactly one current slot.
 */
export class Slots {
  readonly #folder: string;

  constructor(nodeFolder: string) {
    this.#folder = nodeFolder;
  }

  pathOf(packageDigest: string): string {
    return join(this.#folder, 'slots', directoryName(packageDigest));
  }

  /** Checks that the slot is there and holds, byte for byte, what was sealed. @throws SlotDamagedError */
  async verify(packageDigest: string, signal?: AbortSignal): Promise<string> {
    const path = this.pathOf(packageDigest);
    const seal = await readSeal(path, packageDigest);
    for (const [file, digest] of Object.entries(seal.files)) {
      signal?.throwIfAborted();
      const found = await hashOf(join(path, file)).catch(() => undefined);
      if (found === undefined) throw new SlotDamagedError(packageDigest, file, 'cannot be read');
      if (found !== digest) throw new SlotDamagedError(packageDigest, file, 'has other bytes than were installed');
    }
    return path;
  }

  /** Makes the tree at `staged` (same file system) the slot of this package. Idempotent: a slot that holds stays, a damaged one goes. */
  async install(packageDigest: string, staged: string): Promise<string> {
    const path = this.pathOf(packageDigest);
    const seal = { packageDigest, files: await hashTree(staged) };
    await replaceFile(join(staged, SEAL), JSON.stringify(seal), 0o644);
    await syncTree(staged);
    await mkdir(join(this.#folder, 'slots'), { recursive: true });
    await this.remove(packageDigest);
    await rename(staged, path);
    await syncDirectory(join(this.#folder, 'slots'));
    return path;
  }

  /** Digest of the slot that `current` names; null when there is none. */
  async current(): Promise<string | null> {
    try {
      const target = await readlink(join(this.#folder, 'current'));
      return digestOfDirectory(target.slice('slots/'.length));
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') return null;
      throw cause;
    }
  }

  /** Points `current` at the slot (null: at none). Atomic and on the disk when it resolves. */
  async point(packageDigest: string | null): Promise<void> {
    const pointer = join(this.#folder, 'current');
    if (packageDigest === null) {
      await rm(pointer, { force: true });
    } else {
      const draft = join(this.#folder, `.current.${randomUUID()}`);
      await symlink(join('slots', directoryName(packageDigest)), draft);
      await rename(draft, pointer);
    }
    await syncDirectory(this.#folder);
  }

  /** Whole trees move aside first: a half-removed slot is never taken for a slot. */
  async remove(packageDigest: string): Promise<void> {
    const aside = join(this.#folder, 'staging', `gone-${randomUUID()}`);
    await mkdir(join(this.#folder, 'staging'), { recursive: true });
    try {
      await rename(this.pathOf(packageDigest), aside);
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') return;
      throw cause;
    }
    await syncDirectory(join(this.#folder, 'slots'));
    await rm(aside, { recursive: true, force: true });
  }

  /** Removes slots that nothing needs, leftovers of pointer flips, and what staging holds beside the named files. Returns how many slots went. */
  async tidy(keep: readonly string[], keepStaged: readonly string[] = []): Promise<number> {
    const kept = new Set(keep.map(directoryName));
    const slots = (await entries(join(this.#folder, 'slots'))).filter((name) => !kept.has(name));
    for (const name of slots) await this.remove(digestOfDirectory(name));
    for (const name of await entries(join(this.#folder, 'staging'))) {
      if (!keepStaged.includes(name)) await rm(join(this.#folder, 'staging', name), { recursive: true, force: true });
    }
    for (const name of await entries(this.#folder)) if (name.startsWith('.current.')) await rm(join(this.#folder, name), { force: true });
    return slots.length;
  }
}

/** `sha256:<hex>` -> `<hex>`: no colon in file names. */
export function directoryName(packageDigest: string): string {
  return packageDigest.replace(/^sha256:/, '');
}

function digestOfDirectory(name: string): string {
  return `sha256:${name}`;
}

async function readSeal(path: string, packageDigest: string): Promise<z.output<typeof Seal>> {
  try {
    const seal = Seal.parse(JSON.parse(await readFile(join(path, SEAL), 'utf8')));
    if (seal.packageDigest === packageDigest) return seal;
  } catch {
    throw new SlotDamagedError(packageDigest, SEAL, 'is missing or cannot be read');
  }
  throw new SlotDamagedError(packageDigest, SEAL, 'names another package');
}

async function hashTree(root: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && relative(root, path) !== SEAL) files[relative(root, path)] = await hashOf(path);
  }
  return files;
}

/** Hash of the bytes as the disk gives them back. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}

async function entries(path: string): Promise<string[]> {
  return readdir(path).catch(() => []);
}

export async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

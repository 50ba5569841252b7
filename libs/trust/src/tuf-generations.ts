import { copyFile, mkdir, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from './digest.ts';

/** The one in use and the one before it. */
export const GENERATIONS_KEPT = 2;
const GENERATION = /^gen-(\d{8})$/;
const SEAL = 'seal';
const WORK = 'work';

/** What a seal says: which trust root the generation grew from, and the digest of every file. */
interface Seal {
  readonly shippedRoot: string;
  readonly files: Readonly<Record<string, string>>;
}

/** A verified copy of the metadata on disk. */
export interface Generation {
  readonly number: number;
  readonly folder: string;
}

/**
 * Metadata on disk that survives a power cut at any moment. The library writes into a copy (`work`); the copy is synced, sealed
 * with the digest of each file, and becomes `gen-<n>` by one rename. The newest generation whose seal holds is the current one,
 * so a torn or rotten one is passed over for the one before it.
 */
export class MetadataGenerations {
  readonly #folder: string;
  readonly #shippedRoot: string;
  readonly #shippedRootDigest: string;

  constructor(folder: string, shippedRoot: string) {
    this.#folder = folder;
    this.#shippedRoot = shippedRoot;
    this.#shippedRootDigest = sha256Hex(Buffer.from(shippedRoot));
  }

  /** Intact generations that grew from this trust root, newest first. */
  async intact(): Promise<Generation[]> {
    const found: Generation[] = [];
    for (const generation of await this.#all()) if (await this.#isIntact(generation)) found.push(generation);
    return found;
  }

  /** A fresh work folder: a copy of `from`, or the trust root alone. */
  async startWork(from: Generation | undefined): Promise<string> {
    const work = join(this.#folder, WORK);
    await mkdir(this.#folder, { recursive: true });
    await rm(work, { recursive: true, force: true });
    await mkdir(work);
    if (from === undefined) await writeFile(join(work, 'root.json'), this.#shippedRoot);
    else for (const file of await metadataFiles(from.folder)) await copyFile(join(from.folder, file), join(work, file));
    return work;
  }

  /** Makes the work folder the current generation, unless it says nothing new. */
  async commit(from: Generation | undefined): Promise<void> {
    const work = join(this.#folder, WORK);
    const seal: Seal = { shippedRoot: this.#shippedRootDigest, files: await digestsOf(work) };
    if (from !== undefined && sameFiles(seal.files, await digestsOf(from.folder))) return await this.discard();
    await writeFile(join(work, SEAL), JSON.stringify(seal));
    for (const file of [...Object.keys(seal.files), SEAL, '.']) await sync(join(work, file));
    const newest = (await this.#all())[0]?.number ?? 0;
    await rename(work, join(this.#folder, `gen-${String(newest + 1).padStart(8, '0')}`));
    await sync(this.#folder);
    await this.#prune();
  }

  async discard(): Promise<void> {
    await rm(join(this.#folder, WORK), { recursive: true, force: true });
  }

  async #all(): Promise<Generation[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names
      .flatMap((name) => {
        const number = GENERATION.exec(name)?.[1];
        return number === undefined ? [] : [{ number: Number(number), folder: join(this.#folder, name) }];
      })
      .sort((left, right) => right.number - left.number);
  }

  async #isIntact(generation: Generation): Promise<boolean> {
    try {
      const seal = JSON.parse(await readFile(join(generation.folder, SEAL), 'utf8')) as Seal;
      return seal.shippedRoot === this.#shippedRootDigest && sameFiles(seal.files, await digestsOf(generation.folder));
    } catch {
      return false;
    }
  }

  /** Keeps the newest intact ones; a broken one protects nobody and goes too. */
  async #prune(): Promise<void> {
    const kept = new Set((await this.intact()).slice(0, GENERATIONS_KEPT).map((generation) => generation.number));
    for (const generation of await this.#all()) {
      if (!kept.has(generation.number)) await rm(generation.folder, { recursive: true, force: true });
    }
  }
}

async function metadataFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
}

async function digestsOf(folder: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const file of await metadataFiles(folder)) digests[file] = sha256Hex(await readFile(join(folder, file)));
  return digests;
}

function sameFiles(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

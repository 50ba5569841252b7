import { createHash } from 'node:crypto';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PackageManifest } from '@edgeloop/contracts';
import type { Entry, ZipFile } from 'yauzl';
import { MANIFEST_FILE, MODEL_FILE, isSafeName } from './entry-names.ts';
import { PackageRefusedError } from './errors.ts';
import { GOLDEN_PICTURE_BYTES_MAX, MANIFEST_BYTES_MAX } from './limits.ts';
import { withEntries, type ArchiveSource } from './zip-entries.ts';

const EXTRACTED_MODE = 0o644;

export interface ExtractedPackage {
  readonly manifest: PackageManifest;
  readonly modelPath: string;
  /** Paths of the golden pictures by their name in the manifest. */
  readonly pictures: ReadonlyMap<string, string>;
}

interface Expected {
  readonly digest: string;
  readonly bytes: number | undefined;
  readonly bytesMax: number;
}

/**
 * Checks a whole archive: its entries are exactly the manifest's files, in that order, each with the size and digest that the
 * manifest says. Throws `PackageRefusedError`.
 */
export async function readPackage(source: ArchiveSource): Promise<PackageManifest> {
  return await withEntries(source, async (zip, entries) => {
    const { manifest, files } = await openManifest(zip, entries);
    for (const [entry, expected] of files) await copyEntry(zip, entry, expected, undefined);
    return manifest;
  });
}

/**
 * Checks an archive while writing its files under `folder`, which must be empty or new. Every file and folder is synced to the
 * disk. When it throws, whatever lies in the folder is worthless: delete it.
 */
export async function extractPackage(source: ArchiveSource, folder: string): Promise<ExtractedPackage> {
  return await withEntries(source, async (zip, entries) => {
    const { manifest, text, files } = await openManifest(zip, entries);
    await mkdir(folder, { recursive: true });
    await writeSynced(join(folder, MANIFEST_FILE), async (handle) => await handle.writeFile(text));
    for (const [entry, expected] of files) {
      const path = join(folder, entry.fileName);
      await mkdir(dirname(path), { recursive: true });
      await writeSynced(path, async (handle) => await copyEntry(zip, entry, expected, handle));
    }
    await syncFolders(folder, entries);
    const pictures = manifest.goldens.vectors.map(({ picture }) => [picture, join(folder, picture)] as const);
    return { manifest, modelPath: join(folder, MODEL_FILE), pictures: new Map(pictures) };
  });
}

interface OpenedManifest {
  readonly manifest: PackageManifest;
  readonly text: Buffer;
  readonly files: readonly (readonly [Entry, Expected])[];
}

async function openManifest(zip: ZipFile, entries: readonly Entry[]): Promise<OpenedManifest> {
  const [first, ...rest] = entries;
  if (first?.fileName !== MANIFEST_FILE) throw new PackageRefusedError('manifest-missing', `the first entry must be ${MANIFEST_FILE}`);
  if (first.uncompressedSize > MANIFEST_BYTES_MAX)
    throw new PackageRefusedError('too-large', `${MANIFEST_FILE} has ${first.uncompressedSize} bytes, at most ${MANIFEST_BYTES_MAX}`);
  const chunks: Buffer[] = [];
  for await (const chunk of entryStream(zip, first)) chunks.push(chunk);
  const text = Buffer.concat(chunks);
  const manifest = parseManifest(text);
  return { manifest, text, files: matchFiles(manifest, rest) };
}

function parseManifest(text: Buffer): PackageManifest {
  let json: unknown;
  try {
    json = JSON.parse(text.toString('utf8'));
  } catch (cause) {
    throw new PackageRefusedError('manifest-invalid', 'it is no JSON', { cause });
  }
  const parsed = PackageManifest.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new PackageRefusedError('manifest-invalid', problems.join('; ').slice(0, 1000));
}

function matchFiles(manifest: PackageManifest, entries: readonly Entry[]): (readonly [Entry, Expected])[] {
  const { model, goldens } = manifest;
  const expected = new Map<string, Expected>([[MODEL_FILE, { digest: model.digest, bytes: model.bytes, bytesMax: model.bytes }]]);
  for (const { picture, pictureDigest } of goldens.vectors) {
    if (!isSafeName(picture) || expected.has(picture) || picture === MANIFEST_FILE)
      throw new PackageRefusedError('manifest-invalid', `golden picture ${JSON.stringify(picture)}`);
    expected.set(picture, { digest: pictureDigest, bytes: undefined, bytesMax: GOLDEN_PICTURE_BYTES_MAX });
  }
  const wanted = [...expected.keys()].join(', ');
  const found = entries.map((entry) => entry.fileName).join(', ');
  if (wanted !== found) throw new PackageRefusedError('entries-differ', `the manifest names [${wanted}], the archive holds [${found}]`);
  return entries.map((entry) => [entry, checkSize(entry, expected.get(entry.fileName) as Expected)] as const);
}

function checkSize(entry: Entry, expected: Expected): Expected {
  const { uncompressedSize: bytes } = entry;
  if (expected.bytes !== undefined && bytes !== expected.bytes)
    throw new PackageRefusedError('size-differs', `${entry.fileName} has ${bytes} bytes, the manifest says ${expected.bytes}`);
  if (bytes > expected.bytesMax)
    throw new PackageRefusedError('too-large', `${entry.fileName} has ${bytes} bytes, at most ${expected.bytesMax}`);
  return expected;
}

/** Reads one entry to its end, hashing; the library stops it at the size that was judged. */
async function copyEntry(zip: ZipFile, entry: Entry, expected: Expected, into: FileHandle | undefined): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of entryStream(zip, entry)) {
    hash.update(chunk);
    await into?.writeFile(chunk);
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== expected.digest)
    throw new PackageRefusedError('digest-differs', `${entry.fileName} has digest ${digest}, the manifest says ${expected.digest}`);
}

async function* entryStream(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of await zip.openReadStreamPromise(entry)) yield chunk as Buffer;
  } catch (cause) {
    throw new PackageRefusedError('not-a-zip', `${entry.fileName}: ${(cause as Error).message}`, { cause });
  }
}

async function writeSynced(path: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(path, 'wx', EXTRACTED_MODE);
  try {
    await write(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolders(folder: string, entries: readonly Entry[]): Promise<void> {
  const folders = new Set(entries.map((entry) => dirname(join(folder, entry.fileName))));
  for (const path of [...folders, folder]) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

import type { PackageManifest } from '@edgeloop/contracts';
import { ZipArchive } from 'archiver';
import { digestOf } from './digest.ts';
import { MANIFEST_FILE, MODEL_FILE, isSafeName } from './entry-names.ts';
import { PackageInputError } from './errors.ts';
import { PACKAGE_BYTES_MAX } from './limits.ts';
import { manifestText } from './manifest.ts';

/** The oldest date that zip knows: the archive says nothing about when or where it was made. */
const ENTRY_DATE = new Date('1980-01-01T00:00:00Z');
const ENTRY_MODE = 0o644;

export interface PackageParts {
  readonly manifest: PackageManifest;
  readonly model: Uint8Array;
  /** Golden pictures by their name in the manifest. */
  readonly pictures: ReadonlyMap<string, Uint8Array>;
}

/**
 * The archive: entries stored, not deflated (weights hardly shrink, and the bytes stay the same for every zlib), manifest first.
 * Same parts, same bytes, on whatever machine. Throws `PackageInputError` when the parts are not those of the manifest.
 */
export async function writePackage(parts: PackageParts): Promise<Buffer> {
  const entries = entriesOf(parts);
  const archive = new ZipArchive({ store: true });
  const chunks: Buffer[] = [];
  archive.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve, reject) => {
    archive.once('end', resolve);
    archive.once('error', reject);
    archive.once('warning', reject);
  });
  for (const [name, bytes] of entries) archive.append(asBuffer(bytes), { name, date: ENTRY_DATE, mode: ENTRY_MODE, store: true });
  await Promise.all([archive.finalize(), ended]);
  const bytes = Buffer.concat(chunks);
  if (bytes.byteLength > PACKAGE_BYTES_MAX)
    throw new PackageInputError(
      `the package has ${bytes.byteLength} bytes, at most ${PACKAGE_BYTES_MAX} are allowed: export a smaller model`,
    );
  return bytes;
}

function entriesOf({ manifest, model, pictures }: PackageParts): [string, Uint8Array][] {
  expectBytes(MODEL_FILE, model, manifest.model.digest);
  const names = manifest.goldens.vectors.map((vector) => vector.picture);
  if (new Set(names).size !== names.length || pictures.size !== names.length)
    throw new PackageInputError(`the manifest names ${names.length} golden pictures, ${pictures.size} were given`);
  const goldens = manifest.goldens.vectors.map((vector): [string, Uint8Array] => {
    const bytes = pictures.get(vector.picture);
    if (bytes === undefined || !isSafeName(vector.picture)) throw new PackageInputError(`no golden picture ${vector.picture}`);
    expectBytes(vector.picture, bytes, vector.pictureDigest);
    return [vector.picture, bytes];
  });
  return [[MANIFEST_FILE, Buffer.from(manifestText(manifest))], [MODEL_FILE, model], ...goldens];
}

function expectBytes(name: string, bytes: Uint8Array, digest: string): void {
  const actual = digestOf(bytes);
  if (actual !== digest) throw new PackageInputError(`${name} has digest ${actual}, the manifest says ${digest}`);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

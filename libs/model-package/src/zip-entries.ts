import { fromBufferPromise, openPromise, type Entry, type ZipFile } from 'yauzl';
import { isSafeName } from './entry-names.ts';
import { PackageRefusedError } from './errors.ts';
import { ENTRIES_MAX, PACKAGE_BYTES_MAX } from './limits.ts';

const UNIX = 3;
const FILE_TYPE = 0o170000;
const REGULAR_FILE = 0o100000;
const STORED = 0;
const LOCAL_HEADER_BYTES = 30;

/** A path of an archive, or its bytes. */
export type ArchiveSource = string | Uint8Array;

/** Opens the archive, hands out its entries after all of them were judged, and closes it. */
export async function withEntries<T>(source: ArchiveSource, use: (zip: ZipFile, entries: readonly Entry[]) => Promise<T>): Promise<T> {
  const zip = await openZip(source);
  // The library also reports a failed close; nobody can do anything about that any more.
  zip.on('error', () => undefined);
  try {
    return await use(zip, await judgedEntries(zip));
  } finally {
    zip.close();
  }
}

async function openZip(source: ArchiveSource): Promise<ZipFile> {
  const options = { autoClose: false, strictFileNames: true, validateEntrySizes: true };
  try {
    if (typeof source === 'string') return await openPromise(source, options);
    return await fromBufferPromise(Buffer.from(source.buffer, source.byteOffset, source.byteLength), options);
  } catch (cause) {
    if (typeof source === 'string' && typeof (cause as NodeJS.ErrnoException).code === 'string') throw cause;
    throw new PackageRefusedError('not-a-zip', (cause as Error).message, { cause });
  }
}

async function judgedEntries(zip: ZipFile): Promise<readonly Entry[]> {
  if (zip.fileSize > PACKAGE_BYTES_MAX) throw new PackageRefusedError('too-large', `${zip.fileSize} bytes, at most ${PACKAGE_BYTES_MAX}`);
  if (zip.entryCount > ENTRIES_MAX) throw new PackageRefusedError('too-many-entries', `${zip.entryCount}, at most ${ENTRIES_MAX}`);
  const entries: Entry[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      judge(entry);
      entries.push(entry);
    }
  } catch (cause) {
    if (cause instanceof PackageRefusedError) throw cause;
    const detail = (cause as Error).message;
    throw new PackageRefusedError(/path|file name|filename/i.test(detail) ? 'bad-name' : 'not-a-zip', detail, { cause });
  }
  refuseDuplicates(entries);
  refuseOverlaps(entries, zip.fileSize);
  return entries;
}

function judge(entry: Entry): void {
  const name = JSON.stringify(entry.fileName);
  if (!isSafeName(entry.fileName)) throw new PackageRefusedError('bad-name', `entry ${name}`);
  if (!isRegularFile(entry)) throw new PackageRefusedError('not-a-regular-file', `entry ${name} is a link, a folder or a device`);
  if (entry.isEncrypted()) throw new PackageRefusedError('encrypted', `entry ${name}`);
  if (entry.compressionMethod !== STORED) throw new PackageRefusedError('compressed', `entry ${name} is not stored as it is`);
}

/** Entries made by another system than Unix carry no file type. */
function isRegularFile(entry: Entry): boolean {
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE;
  return type === REGULAR_FILE || (type === 0 && entry.versionMadeBy >>> 8 !== UNIX);
}

function refuseDuplicates(entries: readonly Entry[]): void {
  const seen = new Set<string>();
  for (const { fileName } of entries) {
    const folded = fileName.normalize('NFC').toLowerCase();
    if (seen.has(folded)) throw new PackageRefusedError('duplicate-name', `entry ${JSON.stringify(fileName)} stands twice`);
    seen.add(folded);
  }
}

/** Two entries that share bytes would be one file under two names with one digest to check. */
function refuseOverlaps(entries: readonly Entry[], fileSize: number): void {
  const inPlace = entries.toSorted((left, right) => left.relativeOffsetOfLocalHeader - right.relativeOffsetOfLocalHeader);
  for (const [index, entry] of inPlace.entries()) {
    const end = entry.relativeOffsetOfLocalHeader + LOCAL_HEADER_BYTES + entry.fileNameLength + entry.compressedSize;
    const next = inPlace[index + 1]?.relativeOffsetOfLocalHeader ?? fileSize;
    if (end > next) throw new PackageRefusedError('overlapping-entries', `entry ${JSON.stringify(entry.fileName)} reaches into the next`);
  }
}

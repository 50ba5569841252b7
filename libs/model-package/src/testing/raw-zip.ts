import { crc32 } from 'node:zlib';

export interface RawEntry {
  readonly name: string | Buffer;
  readonly data: Buffer;
  /** Unix mode with file type; default a regular file. */
  readonly mode?: number;
  readonly method?: number;
  readonly flags?: number;
  /** What the directory claims; default the truth. */
  readonly claimedBytes?: number;
  readonly claimedOffset?: number;
}

/** A zip as an attacker writes it: every field as told. */
export function rawZip(entries: readonly RawEntry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const local = Buffer.concat([localHeader(entry), nameOf(entry), entry.data]);
    directory.push(Buffer.concat([directoryHeader(entry, entry.claimedOffset ?? offset), nameOf(entry)]));
    locals.push(local);
    offset += local.byteLength;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listing.byteLength, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, listing, end]);
}

function nameOf({ name }: RawEntry): Buffer {
  return typeof name === 'string' ? Buffer.from(name) : name;
}

function localHeader(entry: RawEntry): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  common(header, entry, 4);
  return header;
}

function directoryHeader(entry: RawEntry, offset: number): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE((3 << 8) | 45, 4);
  common(header, entry, 6);
  header.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 38);
  header.writeUInt32LE(offset, 42);
  return header;
}

/** The run of fields that both headers share, from "version needed" to "name length". */
function common(header: Buffer, entry: RawEntry, at: number): void {
  const bytes = entry.claimedBytes ?? entry.data.byteLength;
  header.writeUInt16LE(20, at);
  header.writeUInt16LE(entry.flags ?? 0x800, at + 2);
  header.writeUInt16LE(entry.method ?? 0, at + 4);
  header.writeUInt32LE(crc32(entry.data), at + 10);
  header.writeUInt32LE(bytes, at + 14);
  header.writeUInt32LE(bytes, at + 18);
  header.writeUInt16LE(nameOf(entry).byteLength, at + 22);
}

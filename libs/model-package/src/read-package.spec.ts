import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import type { PackageRefusal } from './errors.ts';
import { ENTRIES_MAX } from './limits.ts';
import { manifestText } from './manifest.ts';
import { extractPackage, readPackage } from './read-package.ts';
import { rawZip, type RawEntry } from './testing/raw-zip.ts';
import { sampleParts } from './testing/sample-parts.ts';
import { writePackage } from './write-package.ts';

const parts = sampleParts();
const manifest: RawEntry = { name: 'manifest.json', data: Buffer.from(manifestText(parts.manifest)) };
const model: RawEntry = { name: 'model.onnx', data: Buffer.from(parts.model) };
const golden: RawEntry = { name: 'golden/00.jpg', data: Buffer.from(parts.pictures.get('golden/00.jpg') as Uint8Array) };

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'package-'))));
afterEach(async () => await rm(folder, { recursive: true, force: true }));

async function refused(refusal: PackageRefusal, bytes: Uint8Array): Promise<void> {
  await expect(readPackage(bytes)).rejects.toMatchObject({ name: 'PackageRefusedError', refusal });
  const fresh = await mkdtemp(join(folder, 'case-'));
  const path = join(fresh, 'hostile.zip');
  await writeFile(path, bytes);
  await expect(extractPackage(path, join(fresh, 'out'))).rejects.toMatchObject({ name: 'PackageRefusedError', refusal });
}

describe('a good package', () => {
  it('is read from bytes and from a file', async () => {
    const bytes = await writePackage(parts);
    expect(await readPackage(bytes)).toEqual(parts.manifest);
    const path = join(folder, 'good.zip');
    await writeFile(path, bytes);
    expect(await readPackage(path)).toEqual(parts.manifest);
  });

  it('is staged file by file, with plain rights', async () => {
    const out = join(folder, 'slot');
    const extracted = await extractPackage(await writePackage(parts), out);
    expect((await readdir(out, { recursive: true })).sort()).toEqual(['golden', 'golden/00.jpg', 'manifest.json', 'model.onnx']);
    expect(Buffer.compare(await readFile(extracted.modelPath), Buffer.from(parts.model))).toBe(0);
    expect(await readFile(extracted.pictures.get('golden/00.jpg') as string)).toEqual(golden.data);
    expect((await stat(extracted.modelPath)).mode & 0o111).toBe(0);
    await expect(extractPackage(await writePackage(parts), out)).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it('is what the test writer of hostile archives makes too, when told no lies', async () => {
    expect(await readPackage(rawZip([manifest, model, golden]))).toEqual(parts.manifest);
  });
});

describe('a hostile archive', () => {
  const evil = (name: string | Buffer): RawEntry => ({ name, data: Buffer.from('evil') });

  for (const name of [
    '../evil',
    '/etc/passwd',
    'golden/../../evil',
    'golden\\..\\evil',
    'C:evil',
    'golden/',
    '.hidden',
    'golden/a/b',
    'a b',
    '',
    'CON.json',
  ])
    it(`is refused for the name ${JSON.stringify(name)}`, async () =>
      await refused('bad-name', rawZip([manifest, model, golden, evil(name)])));

  it('is refused for names that are no ASCII, in both normal forms and with zero bytes', async () => {
    for (const name of ['golden/é.jpg', 'golden/é.jpg', 'golden/\0.jpg', 'golden/ﬁ.jpg', 'gοlden/00.jpg'])
      await refused('bad-name', rawZip([manifest, model, evil(Buffer.from(name))]));
  });

  it('is refused for links, folders, devices and pipes', async () => {
    for (const mode of [0o120777, 0o040755, 0o020666, 0o060666, 0o010666, 0o140666])
      await refused('not-a-regular-file', rawZip([manifest, { ...model, mode }, golden]));
  });

  it('is refused for the same name twice', async () => {
    await refused('duplicate-name', rawZip([manifest, model, golden, golden]));
  });

  it('is refused for entries that are packed or locked: bombs need no defusing', async () => {
    const bomb = deflateRawSync(Buffer.alloc(10_000_000));
    await refused('compressed', rawZip([manifest, { ...model, data: bomb, method: 8 }, golden]));
    const locked = Buffer.concat([Buffer.alloc(12), model.data]);
    await refused('encrypted', rawZip([manifest, { ...model, flags: 0x801, method: 8, data: locked }, golden]));
  });

  it('is refused for more entries than any package has', async () => {
    const many = Array.from({ length: ENTRIES_MAX }, (_, index) => evil(`golden/${index}.jpg`));
    await refused('too-many-entries', rawZip([manifest, ...many]));
  });

  it('is refused for sizes that lie', async () => {
    await refused('size-differs', rawZip([manifest, { ...model, claimedBytes: model.data.byteLength - 1 }, golden]));
    await refused('overlapping-entries', rawZip([manifest, { ...model, claimedBytes: model.data.byteLength + 1 }, golden]));
  });

  it('is refused for entries that share bytes', async () => {
    const twin = { ...golden, name: 'golden/01.jpg', claimedOffset: 0 };
    await refused('overlapping-entries', rawZip([manifest, model, golden, twin]));
  });

  it('is refused when its files are not exactly those of the manifest', async () => {
    await refused('manifest-missing', rawZip([model, manifest, golden]));
    await refused('manifest-missing', rawZip([]));
    await refused('entries-differ', rawZip([manifest, model]));
    await refused('entries-differ', rawZip([manifest, golden, model]));
    await refused('entries-differ', rawZip([manifest, model, golden, evil('extra.sh')]));
  });

  it('is refused for bytes that are not those of the manifest', async () => {
    const other = Buffer.from(model.data);
    other[100] = (other[100] as number) ^ 1;
    await refused('digest-differs', rawZip([manifest, { ...model, data: other }, golden]));
    await refused('digest-differs', rawZip([manifest, model, { ...golden, data: Buffer.from('other') }]));
  });

  it('is refused for a manifest that is none, or names files that it must not', async () => {
    await refused('manifest-invalid', rawZip([{ ...manifest, data: Buffer.from('{') }, model, golden]));
    await refused('manifest-invalid', rawZip([{ ...manifest, data: Buffer.from('{"format":2}') }, model, golden]));
    const picture = { ...(parts.manifest.goldens.vectors[0] as object), picture: 'model.onnx' };
    const stolen = JSON.stringify({ ...parts.manifest, goldens: { ...parts.manifest.goldens, vectors: [picture] } });
    await refused('manifest-invalid', rawZip([{ ...manifest, data: Buffer.from(stolen) }, model, golden]));
  });

  it('never breaks the reader, wherever it is cut or a byte is changed', async () => {
    const good = rawZip([manifest, model, golden]);
    await fc.assert(
      fc.asyncProperty(fc.nat(good.byteLength - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, flip, cut) => {
        const bytes = cut ? good.subarray(0, at) : Buffer.from(good);
        if (!cut) bytes[at] = (bytes[at] as number) ^ flip;
        const read = await readPackage(bytes).catch((error: unknown) => error);
        // Words of the manifest are covered by the digest of the whole package alone; the files are covered here too.
        if (read instanceof Object && 'model' in read) expect(read.model).toMatchObject({ digest: parts.manifest.model.digest });
        else expect(read).toMatchObject({ name: 'PackageRefusedError' });
      }),
      { numRuns: 400 },
    );
  });

  it('leaves an unreadable file to the disk, not to the archive', async () => {
    await expect(readPackage(join(folder, 'nowhere.zip'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

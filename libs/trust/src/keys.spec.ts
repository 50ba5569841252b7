import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrMakeKey, loadOrMakeKeys } from './keys.ts';

let folder: string;
beforeEach(async () => (folder = join(await mkdtemp(join(tmpdir(), 'keys-')), 'keys')));
afterEach(async () => await rm(join(folder, '..'), { recursive: true, force: true }));

describe('repository keys', () => {
  it('are made once, for this user alone, and used again', async () => {
    const first = await loadOrMakeKeys(folder);
    const again = await loadOrMakeKeys(folder);
    expect((await readdir(folder)).sort()).toEqual(['root.pem', 'snapshot.pem', 'targets.pem', 'timestamp.pem']);
    for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const) {
      expect(again[role].keyId).toBe(first[role].keyId);
      expect((await stat(join(folder, `${role}.pem`))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(new Set(Object.values(first).map((signer) => signer.publicKey)).size).toBe(4);
  });

  it('are the same for all who start at once', async () => {
    const starters = await Promise.all(Array.from({ length: 8 }, async () => await loadOrMakeKeys(folder)));
    expect(new Set(starters.map((keys) => keys.root.keyId)).size).toBe(1);
    expect((await readdir(folder)).length).toBe(4);
  });

  for (const mode of [0o640, 0o604, 0o660]) {
    it(`are refused with mode ${mode.toString(8)}, and the message says what to do`, async () => {
      await loadOrMakeKeys(folder);
      const path = join(folder, 'targets.pem');
      await chmod(path, mode);
      await expect(loadOrMakeKeys(folder)).rejects.toMatchObject({
        name: 'KeyFileExposedError',
        path,
        message: expect.stringContaining(`chmod 600 ${path}`),
      });
    });
  }

  it('are never replaced when the file is damaged', async () => {
    await loadOrMakeKeys(folder);
    const path = join(folder, 'root.pem');
    await writeFile(path, 'half a key');
    await expect(loadOrMakeKey(path)).rejects.toMatchObject({ name: 'KeyFileUnreadableError', path });
  });
});

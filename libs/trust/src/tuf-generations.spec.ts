import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RepositorySimulator } from './testing/repository-simulator.ts';
import { TufClient } from './tuf-client.ts';
import { metadataPath } from './tuf-repository.ts';

const NOW = Date.parse('2026-11-02T00:00:00Z');
const V1 = 'hardhat/hardhat-v1.zip';
const V2 = 'hardhat/hardhat-v2.zip';

let folder: string;
let repository: RepositorySimulator;
let client: TufClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tuf-'));
  repository = new RepositorySimulator(NOW);
  client = new TufClient({ folder, shippedRoot: repository.rootText });
  repository.publish(V1, Buffer.from('weights one'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const verified = async (path: string) => await client.verifiedTarget(path, repository, { now: NOW });

describe('state on disk', () => {
  const generations = async () => (await readdir(folder)).filter((name) => name.startsWith('gen-')).sort();

  it('keeps two generations and writes none when nothing is new', async () => {
    await verified(V1);
    await client.refresh(repository, { now: NOW });
    expect(await generations()).toEqual(['gen-00000001']);
    for (let version = 2; version <= 5; version += 1) {
      repository.publish(`hardhat/hardhat-v${version}.zip`, Buffer.from(`weights ${version}`));
      await client.refresh(repository, { now: NOW });
    }
    expect(await generations()).toEqual(['gen-00000004', 'gen-00000005']);
  });

  for (const file of ['root.json', 'timestamp.json', 'seal']) {
    it(`passes over a newest generation whose ${file} is torn, and still refuses a rollback`, async () => {
      const first = repository.copyFiles();
      repository.publish(V2, Buffer.from('weights two'));
      const second = repository.copyFiles();
      await client.refresh(repository, { now: NOW });
      repository.publish('hardhat/hardhat-v3.zip', Buffer.from('weights three'));
      await client.refresh(repository, { now: NOW });
      await truncate(join(folder, 'gen-00000002', file), 0);
      const restarted = new TufClient({ folder, shippedRoot: repository.rootText });
      repository.files.clear();
      for (const [path, bytes] of first) repository.files.set(path, bytes);
      await expect(restarted.refresh(repository, { now: NOW })).rejects.toMatchObject({ code: 'metadata-rollback' });
      for (const [path, bytes] of second) repository.files.set(path, bytes);
      expect((await restarted.verifiedTarget(V2, repository, { now: NOW })).path).toBe(V2);
    });
  }

  it('starts from the shipped root when nothing on disk can be used, and never trips over rubbish', async () => {
    await verified(V1);
    await truncate(join(folder, 'gen-00000001', 'root.json'), 0);
    await writeFile(join(folder, 'gen-x'), 'rubbish');
    await writeFile(join(folder, 'work'), 'a file where a folder should be');
    client = new TufClient({ folder, shippedRoot: repository.rootText });
    expect(await client.trusted()).toEqual({ root: { version: 1, expires: expect.any(String) } });
    expect((await verified(V1)).path).toBe(V1);
  });

  it('keeps a rotated root although the rest of that refresh failed', async () => {
    await verified(V1);
    repository.rotate('root');
    repository.files.set(metadataPath('timestamp', 0), Buffer.from('{}'));
    await expect(client.refresh(repository, { now: NOW })).rejects.toMatchObject({ code: 'metadata-unreadable' });
    expect((await client.trusted()).root?.version).toBe(2);
  });

  it('says so when the disk takes nothing, and does not call that an attack', async () => {
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    const stuck = new TufClient({ folder: join(file, 'tuf'), shippedRoot: repository.rootText });
    await expect(stuck.refresh(repository, { now: NOW })).rejects.toMatchObject({ code: 'metadata-persist', retryable: true });
  });

  it('forgets the metadata of another control plane', async () => {
    await verified(V1);
    const other = new RepositorySimulator(NOW);
    const moved = new TufClient({ folder, shippedRoot: other.rootText });
    expect((await moved.refresh(other, { now: NOW })).timestamp?.version).toBe(1);
  });
});

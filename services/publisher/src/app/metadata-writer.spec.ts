import { beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@edgeloop/runtime';
import { metadataPath, newSigner, targetsIn, type RepositoryKeys } from '@edgeloop/trust';
import { MemoryArtifactRepository } from '../adapters/memory-repository.ts';
import type { ArtifactRepository } from '../ports.ts';
import { FailingRepository } from '../testing/failing-repository.ts';
import { MemoryDocuments } from '@edgeloop/testkit';
import { MetadataWriter, type RepositoryState } from './metadata-writer.ts';
import { readAsNode } from './read-as-node.ts';

const DAY_MS = 86_400_000;
const START = Date.parse('2026-11-02T00:00:00Z');
const target = (version: number) => ({
  path: `hardhat/hardhat-v${version}.zip`,
  bytes: 100 + version,
  digest: `sha256:${String(version).padStart(64, '0')}`,
});

let documents: MemoryDocuments<RepositoryState>;
let repository: MemoryArtifactRepository;
let keys: RepositoryKeys;
let now: number;

beforeEach(() => {
  documents = new MemoryDocuments();
  repository = new MemoryArtifactRepository();
  keys = { root: newSigner(), targets: newSigner(), snapshot: newSigner(), timestamp: newSigner() };
  now = START;
});

function writer(through: ArtifactRepository = repository): MetadataWriter {
  const clock = { now: () => now };
  return new MetadataWriter({ documents, repository: through, keys, keyFolder: '/keys', clock, log: createLogger('spec', 'silent') });
}
const readBy = async (version: number) => await readAsNode(repository, target(version).path, { now: () => now });
const text = (path: string) => repository.files.get(path)?.toString('utf8');

describe('the first start', () => {
  it('makes a root before there is any release, and leaves it alone from then on', async () => {
    await writer().start();
    expect([...repository.files.keys()]).toEqual([
      'metadata/1.root.json',
      'metadata/1.targets.json',
      'metadata/1.snapshot.json',
      'metadata/timestamp.json',
    ]);
    const before = text('metadata/1.root.json');
    now += DAY_MS;
    await writer().start();
    expect(text('metadata/1.root.json')).toBe(before);
    expect(repository.files.size).toBe(4);
  });

  it('refuses keys that are not those of the repository', async () => {
    await writer().start();
    keys = { ...keys, targets: newSigner() };
    await expect(writer().start()).rejects.toMatchObject({
      name: 'OtherKeysError',
      message: expect.stringContaining('(targets) than those in /keys'),
    });
  });
});

describe('a publish that dies', () => {
  /** Writes of a first start and two releases when nothing fails. */
  const WRITES = 4 + 3 + 3;
  for (const moment of ['before', 'after'] as const)
    for (let failAt = 1; failAt <= WRITES; failAt += 1)
      it(`${moment} write ${failAt} leaves a whole repository, and the next start finishes it`, async () => {
        const failing = new FailingRepository(repository, failAt, moment);
        const story = async (through: ArtifactRepository): Promise<void> => {
          const mine = writer(through);
          await mine.start();
          await mine.addTarget(target(1));
          await mine.addTarget(target(2));
        };
        await expect(story(failing)).rejects.toMatchObject({ name: 'PowerCutError' });
        if (repository.files.has('metadata/timestamp.json')) await expectWhole();
        await story(repository);
        expect((await readBy(1)).bytes).toBe(101);
        expect((await readBy(2)).bytes).toBe(102);
        expect((await documents.load('main'))?.state.pending).toBeNull();
        expect(repository.files.has(metadataPath('targets', 4))).toBe(false);
      });

  it('writes exactly as often as these cases cover', async () => {
    const counting = new FailingRepository(repository, Infinity, 'before');
    const mine = writer(counting);
    await mine.start();
    await mine.addTarget(target(1));
    await mine.addTarget(target(2));
    expect(counting.writes).toBe(WRITES);
  });

  /** A reader either sees a release or is told that it is not signed; never metadata that does not fit together. */
  async function expectWhole(): Promise<void> {
    for (const version of [1, 2]) {
      const seen = await readBy(version).then(
        (found) => found.bytes,
        (refusal: { code?: string }) => refusal.code,
      );
      expect([100 + version, 'target-unknown']).toContain(seen);
    }
  }
});

describe('two publishers at once', () => {
  it('lose no release and sign each version once', async () => {
    await writer().start();
    const versions = Array.from({ length: 12 }, (_, index) => index + 1);
    await Promise.all(versions.map(async (version) => await writer().addTarget(target(version))));
    for (const version of versions) expect((await readBy(version)).bytes).toBe(100 + version);
    const newest = repository.files.get(metadataPath('targets', 13)) as Buffer;
    expect(targetsIn(newest)).toHaveLength(12);
    expect(repository.files.has(metadataPath('targets', 14))).toBe(false);
  });

  it('mend a timestamp that a publisher who was held up put over a newer one', async () => {
    await writer().start();
    const old = repository.files.get('metadata/timestamp.json') as Buffer;
    await writer().addTarget(target(1));
    const newest = text('metadata/timestamp.json');
    repository.files.set('metadata/timestamp.json', old);
    await writer().renew();
    expect(text('metadata/timestamp.json')).toBe(newest);
  });

  it('mend it at once when it is they themselves who were held up', async () => {
    await writer().start();
    const held = gate();
    const slow: ArtifactRepository = Object.assign(Object.create(repository) as ArtifactRepository, {
      put: async (...args: Parameters<ArtifactRepository['put']>) => {
        if (args[0] === 'metadata/timestamp.json') await held.passed;
        return await repository.put(...args);
      },
    });
    const late = writer(slow).addTarget(target(1));
    while ((await documents.load('main'))?.state.pending === null) await Promise.resolve();
    await writer().addTarget(target(2));
    held.open();
    await late;
    expect((await readBy(1)).bytes).toBe(101);
    expect((await readBy(2)).bytes).toBe(102);
  });
});

function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open: () => open() };
}

describe('signatures', () => {
  it('are renewed before they expire, role by role, and a node follows for years', async () => {
    await writer().start();
    await writer().addTarget(target(1));
    for (let day = 0; day < 800; day += 1) {
      now = START + day * DAY_MS;
      await writer().renew();
      if (day % 50 === 0) expect((await readBy(1)).bytes).toBe(101);
    }
    const { head } = (await documents.load('main'))?.state ?? {};
    expect(head).toMatchObject({ root: { version: 5 }, targets: { version: 6 } });
  });

  it('are not renewed without need', async () => {
    await writer().start();
    now += DAY_MS;
    expect(await writer().renew()).toBe(false);
    now += 3 * DAY_MS;
    expect(await writer().renew()).toBe(true);
    expect(await writer().renew()).toBe(false);
  });

  it('stop with a clear word when a published list was lost', async () => {
    await writer().start();
    repository.files.delete('metadata/1.targets.json');
    await expect(writer().addTarget(target(1))).rejects.toThrow('metadata/1.targets.json is not in the artifact repository: restore it');
  });
});

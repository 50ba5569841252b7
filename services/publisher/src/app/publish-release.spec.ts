import { beforeEach, describe, expect, it } from '@jest/globals';
import type { MessageContext } from '@edgeloop/bus';
import type { PackageBuilt, PackageManifest, PayloadOf } from '@edgeloop/contracts';
import { buildManifest, digestOf, writePackage } from '@edgeloop/model-package';
import { createLogger } from '@edgeloop/runtime';
import { MemoryObjectStore } from '@edgeloop/store';
import { newSigner, type RepositoryKeys } from '@edgeloop/trust';
import { MemoryArtifactRepository } from '../adapters/memory-repository.ts';
import type { Channel } from '../domain/channel.ts';
import type { Release } from '../domain/release.ts';
import type { ArtifactRepository } from '../ports.ts';
import { FailingRepository } from '../testing/failing-repository.ts';
import { MemoryDocuments } from '@edgeloop/testkit';
import { MetadataWriter, type RepositoryState } from './metadata-writer.ts';
import { PublishRelease } from './publish-release.ts';
import { readAsNode } from './read-as-node.ts';
import { ShowReleases } from './show-releases.ts';

const clock = { now: () => Date.parse('2026-11-02T00:00:00Z') };
const log = createLogger('spec', 'silent');
const context: MessageContext = {
  id: 'package.built/run-1',
  type: 'package.built',
  subject: 'package.v1.x.built',
  tokens: {},
  correlationId: 'turn-1',
  causationId: undefined,
  traceparent: undefined,
  sentAt: undefined,
  stream: 'LOOP',
  streamSequence: 1,
  deliveries: 1,
  signal: new AbortController().signal,
};

let store: MemoryObjectStore;
let repository: MemoryArtifactRepository;
let states: MemoryDocuments<RepositoryState>;
let releases: MemoryDocuments<Release>;
let channels: MemoryDocuments<Channel>;
let keys: RepositoryKeys;

beforeEach(() => {
  store = new MemoryObjectStore();
  repository = new MemoryArtifactRepository();
  states = new MemoryDocuments();
  releases = new MemoryDocuments();
  channels = new MemoryDocuments();
  keys = { root: newSigner(), targets: newSigner(), snapshot: newSigner(), timestamp: newSigner() };
});

/** A publisher as a fresh process: everything it knows is in the documents and the repository. */
async function publisher(through: ArtifactRepository = repository): Promise<PublishRelease> {
  const metadata = new MetadataWriter({ documents: states, repository: through, keys, keyFolder: '/keys', clock, log });
  await metadata.start();
  return new PublishRelease({ store, repository: through, metadata, releases, channels, channel: 'production', clock, log });
}

async function packageOf(version: string, weights = `weights of ${version}`): Promise<PayloadOf<typeof PackageBuilt>> {
  const model = Buffer.from(weights);
  const picture = Buffer.from([0xff, 0xd8, 0xff, 1]);
  const manifest: PackageManifest = buildManifest({
    card: {
      name: 'hardhat',
      version,
      classes: ['helmet'],
      input: { width: 64, height: 64, range: '0..1', order: 'RGB' },
      thresholds: [0.4],
      nmsIou: 0.45,
    },
    model: { digest: digestOf(model), bytes: model.byteLength },
    inspection: { opset: 17, initializerBytes: 100 },
    shape: { layout: 'yolov5', rows: 252, classCount: 1 },
    goldens: {
      vectors: [{ picture: 'golden/00.jpg', pictureDigest: digestOf(picture), expected: [] }],
      pictures: new Map([['golden/00.jpg', picture]]),
      blind: true,
    },
    origin: { runId: 'run-1', datasetId: null, datasetDigest: null },
  });
  const bytes = await writePackage({ manifest, model, pictures: new Map([['golden/00.jpg', picture]]) });
  const archive = await store.put({ bucket: 'runs', key: `packages/${digestOf(bytes)}` }, bytes);
  const stored = await store.put({ bucket: 'runs', key: `models/${digestOf(model)}` }, model);
  return { packageId: `pkg-${digestOf(bytes).slice(7, 23)}`, runId: 'run-1', archive, model: stored, manifest };
}

const told = () => releases.told.map(({ contract, id }) => `${contract.type} ${id}`);

describe('a package', () => {
  it('becomes a signed release that a fresh node accepts, and a channel points at it', async () => {
    const built = await packageOf('v1');
    await (await publisher()).handle(built, context);
    const target = await readAsNode(repository, 'hardhat/hardhat-v1.zip', clock);
    expect(target).toMatchObject({ digest: built.archive.digest, bytes: built.archive.bytes });
    expect(digestOf(await repository.get(target.repositoryPath, 1e6))).toBe(built.archive.digest);
    expect(releases.told[0]?.payload).toMatchObject({
      releaseId: 'hardhat-v1',
      targetPath: 'hardhat/hardhat-v1.zip',
      channel: 'production',
      packageDigest: built.archive.digest,
      modelDigest: built.manifest.model.digest,
      model: built.model,
    });
    expect((await channels.load('production'))?.state.releaseId).toBe('hardhat-v1');
  });

  it('is published once, however often it comes', async () => {
    const built = await packageOf('v1');
    await (await publisher()).handle(built, context);
    const files = repository.files.size;
    await (await publisher()).handle(built, context);
    await (await publisher()).handle(built, context);
    expect(told()).toEqual(['release.published release.published/hardhat-v1']);
    expect(repository.files.size).toBe(files);
  });

  it('of other bytes under a version that is taken is refused, and the release stays', async () => {
    const first = await packageOf('v1');
    await (await publisher()).handle(first, context);
    const second = await packageOf('v1', 'other weights');
    await (await publisher()).handle(second, context);
    await (await publisher()).handle(second, context);
    expect(told()).toEqual([
      'release.published release.published/hardhat-v1',
      `release.refused release.refused/hardhat-v1/${second.packageId}`,
    ]);
    expect(releases.told[1]?.payload).toMatchObject({ cause: 'version-taken' });
    expect((await readAsNode(repository, 'hardhat/hardhat-v1.zip', clock)).digest).toBe(first.archive.digest);
  });

  it('that is gone, damaged, no package, or announced with another manifest is refused and leaves the version free', async () => {
    const good = await packageOf('v1');
    const other = await packageOf('v2');
    const rubbish = await store.put({ bucket: 'runs', key: 'packages/rubbish' }, Buffer.from('no zip'));
    const bad: [string, PayloadOf<typeof PackageBuilt>][] = [
      ['archive-missing', { ...good, packageId: 'pkg-1', archive: { ...good.archive, key: 'nowhere' } }],
      ['archive-damaged', { ...good, packageId: 'pkg-2', archive: { ...good.archive, digest: other.archive.digest } }],
      ['archive-refused', { ...good, packageId: 'pkg-3', archive: rubbish }],
      ['manifest-differs', { ...good, packageId: 'pkg-4', archive: other.archive }],
    ];
    for (const [cause, built] of bad) {
      await (await publisher()).handle(built, context);
      expect(releases.told.at(-1)?.payload).toMatchObject({ cause, packageId: built.packageId });
    }
    await (await publisher()).handle(good, context);
    expect(told().at(-1)).toBe('release.published release.published/hardhat-v1');
  });

  it('is not announced while the repository gives back other bytes than it took', async () => {
    const built = await packageOf('v1');
    const rotten: ArtifactRepository = Object.assign(Object.create(repository) as ArtifactRepository, {
      get: async (...args: Parameters<ArtifactRepository['get']>) => {
        const bytes = Buffer.from(await repository.get(...args));
        if (args[0].startsWith('targets/')) bytes[40] = (bytes[40] as number) ^ 1;
        return bytes;
      },
    });
    await expect((await publisher(rotten)).handle(built, context)).rejects.toMatchObject({ name: 'ReadBackError', retryable: true });
    expect(told()).toEqual([]);
  });
});

describe('a publisher that dies between any two writes', () => {
  const WRITES = 4 + 4 + 4;
  for (const moment of ['before', 'after'] as const)
    for (let failAt = 1; failAt <= WRITES; failAt += 1)
      it(`(${moment} write ${failAt}) goes on where it stopped: both releases, each announced once`, async () => {
        const packages = [await packageOf('v1'), await packageOf('v2')];
        const failing = new FailingRepository(repository, failAt, moment);
        const story = async (through: ArtifactRepository): Promise<void> => {
          for (const built of packages) await (await publisher(through)).handle(built, context);
        };
        await expect(story(failing)).rejects.toMatchObject({ name: 'PowerCutError' });
        await story(repository);
        expect(told()).toEqual(['release.published release.published/hardhat-v1', 'release.published release.published/hardhat-v2']);
        for (const built of packages) {
          const { version } = built.manifest.model;
          expect((await readAsNode(repository, `hardhat/hardhat-${version}.zip`, clock)).digest).toBe(built.archive.digest);
        }
      });

  it('writes exactly as often as these cases cover', async () => {
    const counting = new FailingRepository(repository, Infinity, 'before');
    for (const built of [await packageOf('v1'), await packageOf('v2')]) await (await publisher(counting)).handle(built, context);
    expect(counting.writes).toBe(WRITES);
  });
});

describe('the list of releases', () => {
  it('shows what was published, newest first, and which channel points where', async () => {
    for (const version of ['v1', 'v2', 'v3']) await (await publisher()).handle(await packageOf(version), context);
    const show = new ShowReleases(releases, channels);
    const { releases: views } = await show.answer({ limit: 2 });
    expect(views).toHaveLength(2);
    expect((await show.answer({ limit: 100 })).releases.find((view) => view.releaseId === 'hardhat-v3')?.channels).toEqual(['production']);
    expect((await show.answer({ limit: 100 })).releases.find((view) => view.releaseId === 'hardhat-v1')?.channels).toEqual([]);
  });
});

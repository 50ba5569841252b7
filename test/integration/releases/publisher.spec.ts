import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AskReleases, PackageBuilt, ReleasePublished, ReleaseRefused, type PayloadOf } from '@edgeloop/contracts';
import { digestOf, extractPackage } from '@edgeloop/model-package';
import { startService, type RunningService } from '@edgeloop/nest-bus';
import { BucketArtifactRepository, publisherService } from '@edgeloop/publisher';
import { RELEASES_BUCKET } from '@edgeloop/store';
import { chmod, mkdtemp, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeArtifactRepository } from './artifact-repository-suite.ts';
import { ReleaseFixture } from './release-fixture.ts';

let fixture: ReleaseFixture;
const replicas: RunningService[] = [];

beforeAll(async () => {
  fixture = await ReleaseFixture.start();
  await startReplica();
}, 120_000);
afterAll(async () => {
  for (const replica of replicas) await replica.stop();
  await fixture?.stop();
});

async function startReplica(more: Record<string, string> = {}): Promise<RunningService> {
  const replica = await startService(publisherService, fixture.environment(more));
  replicas.push(replica);
  return replica;
}

async function announce(built: PayloadOf<typeof PackageBuilt>, id = `package.built/${built.runId}`): Promise<void> {
  await fixture.bus.publish(PackageBuilt, built, { id });
}
const published = async (releaseId: string) => await fixture.seen(ReleasePublished, (payload) => payload.releaseId === releaseId);

describe('the publisher', () => {
  it('has a root for nodes before there is any release, and keys that nobody else can read', async () => {
    const trusted = await (await fixture.freshNode()).refresh(await fixture.links(), { now: Date.now() });
    expect(trusted).toMatchObject({ root: { version: 1 }, targets: { version: 1 } });
    const keys = join(fixture.engines.dataDir, 'publisher', 'keys');
    expect((await stat(join(keys, 'root.pem'))).mode & 0o777).toBe(0o600);
  });

  it('makes a release that a node verifies, downloads by link and stages', async () => {
    const built = await fixture.packageOf('v1');
    await announce(built);
    const release = await published('blocks-v1');
    expect(release).toMatchObject({
      packageDigest: built.archive.digest,
      model: built.model,
      channel: 'production',
      classes: ['red', 'blue'],
    });
    const given = await fixture.links();
    const target = await (await fixture.freshNode()).verifiedTarget(release.targetPath, given, { now: Date.now() });
    expect(target).toMatchObject({ digest: release.packageDigest, bytes: release.packageBytes });
    const response = await fetch(given[target.repositoryPath] as string);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(digestOf(bytes)).toBe(target.digest);
    const { modelPath } = await extractPackage(bytes, await mkdtemp(join(fixture.engines.dataDir, 'slot-')));
    expect(digestOf(await readFile(modelPath))).toBe(release.modelDigest);
  });

  it('refuses other bytes under a version that is taken, and says so once', async () => {
    const other = await fixture.packageOf('v1', 1);
    await announce(other);
    await announce(other, 'again');
    const said = await fixture.seen(ReleaseRefused, (payload) => payload.packageId === other.packageId);
    expect(said).toMatchObject({ releaseId: 'blocks-v1', cause: 'version-taken' });
    await announce(await fixture.packageOf('v2'));
    await published('blocks-v2');
    expect((await fixture.events(ReleaseRefused)).filter((payload) => payload.packageId === other.packageId)).toHaveLength(1);
    expect((await fixture.events(ReleasePublished)).filter((payload) => payload.releaseId === 'blocks-v1')).toHaveLength(1);
  });

  it('shares the work between replicas and loses nothing: each release once, all of them signed', async () => {
    await startReplica();
    const versions = Array.from({ length: 8 }, (_, index) => `v${index + 10}`);
    const packages = [];
    for (const [index, version] of versions.entries()) packages.push(await fixture.packageOf(version, index + 2));
    await Promise.all(packages.map(async (built) => await announce(built)));
    for (const version of versions) await published(`blocks-${version}`);
    const node = await fixture.freshNode();
    const given = await fixture.links();
    for (const built of packages) {
      const { name, version } = built.manifest.model;
      const target = await node.verifiedTarget(`${name}/${name}-${version}.zip`, given, { now: Date.now() });
      expect(target.digest).toBe(built.archive.digest);
    }
    const told = (await fixture.events(ReleasePublished)).map((payload) => payload.releaseId);
    expect(new Set(told).size).toBe(told.length);
  });

  it('answers which releases there are, and where the channel points', async () => {
    const { releases } = await fixture.bus.ask(AskReleases, {});
    expect(releases).toHaveLength(10);
    expect(releases.filter((release) => release.channels.includes('production')).map((release) => release.releaseId)).toEqual([
      'blocks-v17',
    ]);
    expect((await fixture.bus.ask(AskReleases, { limit: 3 })).releases).toHaveLength(3);
  });

  it('says nothing twice after a restart', async () => {
    const before = (await fixture.events(ReleasePublished)).length;
    for (const replica of replicas.splice(0)) await replica.stop();
    await startReplica();
    await announce(await fixture.packageOf('v1'), 'redelivered after a restart');
    await announce(await fixture.packageOf('v30', 20));
    await published('blocks-v30');
    expect((await fixture.events(ReleasePublished)).length).toBe(before + 1);
  });

  it('does not start with keys that others could read, or that are not those of the repository', async () => {
    for (const replica of replicas.splice(0)) await replica.stop();
    const elsewhere = await mkdtemp(join(fixture.engines.dataDir, 'other-'));
    await expect(startReplica({ EDGELOOP_DATA_DIR: elsewhere })).rejects.toThrow('signed by other keys');
    await chmod(join(fixture.engines.dataDir, 'publisher', 'keys', 'targets.pem'), 0o644);
    await expect(startReplica()).rejects.toThrow('chmod 600');
  });
});

describeArtifactRepository('bucket of a real store', () => new BucketArtifactRepository(fixture.store, RELEASES_BUCKET));

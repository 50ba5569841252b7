import { describe, expect, it } from '@jest/globals';
import { MemoryObjectStore, RELEASES_BUCKET } from '@edgeloop/store';
import { LISTING_FRESH_MS, S3ReleaseLinks, S3TrustRoot } from './s3-release-links.ts';

const DIGEST = 'a'.repeat(64);

function repository() {
  const store = new MemoryObjectStore();
  const clock = { at: 1_000_000, now: () => clock.at };
  const put = (name: string): Promise<unknown> =>
    store.put({ bucket: RELEASES_BUCKET, key: `metadata/${name}` }, new TextEncoder().encode('{}'));
  const links = new S3ReleaseLinks(store, clock);
  const named = async (since: number): Promise<string[]> => Object.keys((await links.linksFor(null, since)).links);
  return { store, clock, put, links, named };
}

describe('S3ReleaseLinks', () => {
  it('names a package as a TUF client asks for it', async () => {
    const { store, links, put } = repository();
    await put('timestamp.json');
    await store.put({ bucket: RELEASES_BUCKET, key: `targets/hardhat/${DIGEST}.hardhat-v2.zip` }, new TextEncoder().encode('zip'));
    const found = await links.linksFor({ targetPath: 'hardhat/hardhat-v2.zip', packageDigest: `sha256:${DIGEST}` }, 0);
    expect(Object.keys(found.links)).toEqual(['metadata/timestamp.json', `targets/hardhat/${DIGEST}.hardhat-v2.zip`]);
  });

  it('shares one list for a moment, but never one older than what made the node come', async () => {
    const { put, named, clock } = repository();
    await put('1.snapshot.json');
    expect(await named(0)).toEqual(['metadata/1.snapshot.json']);
    await put('2.snapshot.json');
    clock.at += LISTING_FRESH_MS;
    expect(await named(0)).toHaveLength(1);
    expect(await named(clock.at - 1)).toHaveLength(2);
    await put('3.snapshot.json');
    clock.at += LISTING_FRESH_MS + 1;
    expect(await named(0)).toHaveLength(3);
  });
});

describe('S3TrustRoot', () => {
  it('is not there before the publisher made it, then for ever', async () => {
    const { store, put } = repository();
    const root = new S3TrustRoot(store);
    expect(await root.read()).toBeUndefined();
    await put('1.root.json');
    expect(await root.read()).toBe('{}');
  });
});

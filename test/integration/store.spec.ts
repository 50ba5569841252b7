import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StoreConfig, StsConfig } from '@edgeloop/runtime';
import {
  digestOf,
  grantsFromConfig,
  MemoryObjectStore,
  proveWriteOnly,
  S3ObjectStore,
  s3Client,
  SampleUploader,
  StoreForbiddenError,
  storeFromConfig,
  StsUploadGrants,
  StoreUnavailableError,
  UploadRightsTooWideError,
  type HeldGrant,
  type ObjectStore,
  type UploadGrants,
} from '@edgeloop/store';
import { testEngines, type TestEngines } from '@edgeloop/testkit';
import { objectStoreSuite } from './store/object-store-suite.ts';

let engines: TestEngines;
let store: ObjectStore;
let grants: StsUploadGrants;

beforeAll(async () => {
  engines = await testEngines({ store: true });
  store = storeFromConfig(StoreConfig.parse(engines.environment));
  grants = grantsFromConfig({ ...StoreConfig.parse(engines.environment), ...StsConfig.parse(engines.environment) });
}, 120_000);
afterAll(() => engines?.stop(), 60_000);

objectStoreSuite('S3 (SeaweedFS)', () => store);
const memory = new MemoryObjectStore();
objectStoreSuite('memory', () => memory);

describe('the S3 adapter', () => {
  it('says that the store is away, and that later may be better', async () => {
    const away = s3Client({ endpoint: 'http://127.0.0.1:1', region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
    const reading = new S3ObjectStore(away, { attemptsMax: 2, firstMs: 1, maxMs: 2 }).read({ bucket: 'datasets', key: 'x' });
    await expect(reading).rejects.toMatchObject({ name: StoreUnavailableError.name, retryable: true });
  });

  it('says that the key is wrong', async () => {
    const config = StoreConfig.parse({ ...engines.environment, S3_SECRET_ACCESS_KEY: 'wrong' });
    const reading = storeFromConfig(config).read({ bucket: 'datasets', key: 'x' });
    await expect(reading).rejects.toMatchObject({ name: StoreForbiddenError.name, code: 'SignatureDoesNotMatch' });
  });

  it('makes links that die', async () => {
    const ref = await store.put({ bucket: 'datasets', key: 'links/one' }, Buffer.from('x'));
    const link = new URL(await store.presignGet(ref, 60));
    // An hour ago, by the link itself: signed again it would be valid, so only the age may be what is refused.
    const expired = await presignedInThePast(ref.key);
    expect((await fetch(link)).status).toBe(200);
    expect((await fetch(expired)).status).toBe(403);
  });
});

describe('upload sessions', () => {
  it('are write-only, proved by trying what must fail', async () => {
    const tried = await proveWriteOnly(grants, store);
    expect(tried.length).toBeGreaterThanOrEqual(15);
    expect(tried.filter(({ expected }) => expected === 'is-forbidden').every(({ got }) => got.startsWith('403'))).toBe(true);
    const leftovers = [];
    for await (const info of store.list('samples', '.proof/')) leftovers.push(info.key);
    expect(leftovers).toEqual([]);
  });

  it('are refused as a whole when they can do more', async () => {
    const { environment } = engines;
    const wide = new WideGrants(grants, {
      accessKeyId: String(environment.S3_ACCESS_KEY_ID),
      secretAccessKey: String(environment.S3_SECRET_ACCESS_KEY),
    });
    const failure = await proveWriteOnly(wide, store).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: UploadRightsTooWideError.name });
    const names = (failure as UploadRightsTooWideError).broken.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['GET of a foreign object', 'LIST of the own prefix', 'DELETE of the own object']));
  });

  it('end at the prefix of the node and the campaign', async () => {
    const session = await grants.open('n1', 'night');
    expect(session.keyPrefix).toBe('n1/night/');
    expect(session.expiresAtMs).toBeGreaterThan(Date.now() + 13 * 60_000);
    const client = new S3ObjectStore(s3Client({ ...session.credentials, credentials: session.credentials }));
    await client.put({ bucket: 'samples', key: 'n1/night/a' }, Buffer.from('a'));
    for (const key of ['n1/day/a', 'n2/night/a', 'n1/night2/a']) {
      await expect(client.put({ bucket: 'samples', key }, Buffer.from('a'))).rejects.toMatchObject({ name: StoreForbiddenError.name });
    }
  });

  it('are refused to a key that may not issue them', async () => {
    const { sts, ...rest } = grants.options;
    const stranger = new StsUploadGrants({ ...rest, sts: { ...sts, credentials: { accessKeyId: 'nobody', secretAccessKey: 'x' } } });
    await expect(stranger.open('n1', 'c')).rejects.toMatchObject({ name: StoreForbiddenError.name });
  });
});

describe("the node's uploader", () => {
  const picture = Buffer.from('not yet looked at: the collector judges pictures');

  it('puts a sample once, under its own hash', async () => {
    const uploader = uploaderOf(grants, 'up1');
    const first = await uploader.upload(picture);
    expect(first).toMatchObject({ kind: 'stored', already: false, object: { digest: digestOf(picture), bytes: picture.length } });
    expect(await uploader.upload(picture)).toMatchObject({ kind: 'stored', already: true });
    if (first.kind !== 'stored') throw new Error('unreachable');
    expect(Buffer.from(await store.read(first.object)).equals(picture)).toBe(true);
    expect(await store.head(first.object)).toMatchObject({ digest: digestOf(picture) });
  });

  it('asks once more when its session has ended, and tells when that did not help', async () => {
    let asked = 0;
    const dead = { accessKeyId: 'ENDED', secretAccessKey: 'x', sessionToken: 'x' };
    const ended = async (): Promise<HeldGrant> => {
      const held = await heldGrant(grants, 'up2');
      return asked++ === 0 ? { ...held, credentials: { ...held.credentials, ...dead } } : held;
    };
    const mended = new SampleUploader({ obtain: ended, monotonicMs: () => performance.now(), nowMs: Date.now });
    expect(await mended.upload(picture)).toMatchObject({ kind: 'stored' });
    expect(asked).toBe(2);
    const always = async (): Promise<HeldGrant> => ({
      ...(await heldGrant(grants, 'up2')),
      credentials: { ...(await heldGrant(grants, 'up2')).credentials, ...dead },
    });
    const hopeless = new SampleUploader({ obtain: always, monotonicMs: () => performance.now(), nowMs: Date.now });
    expect(await hopeless.upload(picture)).toMatchObject({ kind: 'later', cause: 'session-ended' });
  });

  it('renews its session at 60 % of its life, before the store cuts it off', async () => {
    let asked = 0;
    let nowMs = 0;
    const obtain = async (): Promise<HeldGrant> => {
      asked++;
      return heldGrant(grants, 'up3');
    };
    const uploader = new SampleUploader({ obtain, monotonicMs: () => nowMs, nowMs: Date.now });
    await uploader.upload(Buffer.from('1'));
    nowMs = 9 * 60_000 - 1;
    await uploader.upload(Buffer.from('2'));
    expect(asked).toBe(1);
    nowMs = 9 * 60_000;
    await uploader.upload(Buffer.from('3'));
    expect(asked).toBe(2);
  });

  it('works with a clock that is a day off', async () => {
    const uploader = new SampleUploader({
      obtain: () => heldGrant(grants, 'up4'),
      monotonicMs: () => performance.now(),
      nowMs: () => Date.now() - 86_400_000,
    });
    expect(await uploader.upload(picture)).toMatchObject({ kind: 'stored' });
  });

  it('keeps the sample while there are no rights or no store', async () => {
    const none = new SampleUploader({ obtain: async () => undefined, monotonicMs: () => 0, nowMs: Date.now });
    expect(await none.upload(picture)).toMatchObject({ kind: 'later', cause: 'no-grant' });
    const away = async (): Promise<HeldGrant> => {
      const held = await heldGrant(grants, 'up5');
      return { ...held, credentials: { ...held.credentials, endpoint: 'http://127.0.0.1:1' } };
    };
    const lost = new SampleUploader({ obtain: away, monotonicMs: () => 0, nowMs: Date.now });
    expect(await lost.upload(picture)).toMatchObject({ kind: 'later', cause: 'unreachable', detail: 'ECONNREFUSED' });
  });

  it('does not get out of its prefix', async () => {
    const stray = async (): Promise<HeldGrant> => ({ ...(await heldGrant(grants, 'up6')), keyPrefix: 'up7/base/' });
    const uploader = new SampleUploader({ obtain: stray, monotonicMs: () => 0, nowMs: Date.now });
    expect(await uploader.upload(picture)).toMatchObject({ kind: 'refused', cause: 'forbidden' });
  });
});

function uploaderOf(from: UploadGrants, nodeId: string): SampleUploader {
  return new SampleUploader({ obtain: () => heldGrant(from, nodeId), monotonicMs: () => performance.now(), nowMs: Date.now });
}

async function heldGrant(from: UploadGrants, nodeId: string): Promise<HeldGrant> {
  const { bucket, keyPrefix, credentials } = await from.open(nodeId, 'base');
  return { bucket, keyPrefix, credentials };
}

/** An issuer whose server ignores session policies: hands out the services' own rights. */
class WideGrants extends StsUploadGrants {
  readonly #key: { accessKeyId: string; secretAccessKey: string };
  constructor(real: StsUploadGrants, key: { accessKeyId: string; secretAccessKey: string }) {
    super(real.options);
    this.#key = key;
  }
  override async openPrefix(keyPrefix: string): ReturnType<StsUploadGrants['openPrefix']> {
    const { endpoint, region } = this.options.sts;
    const credentials = { endpoint, region, ...this.#key, sessionToken: undefined as unknown as string };
    return { bucket: 'samples', keyPrefix, expiresAtMs: Date.now() + 900_000, credentials };
  }
}

async function presignedInThePast(key: string): Promise<string> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
  const config = StoreConfig.parse(engines.environment);
  const client = s3Client({
    endpoint: config.S3_ENDPOINT,
    region: config.S3_REGION,
    credentials: { accessKeyId: config.S3_ACCESS_KEY_ID, secretAccessKey: config.S3_SECRET_ACCESS_KEY },
  });
  return getSignedUrl(client, new GetObjectCommand({ Bucket: 'datasets', Key: key }), {
    expiresIn: 60,
    signingDate: new Date(Date.now() - 3_600_000),
  });
}

import { readFileSync } from 'node:fs';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { AccessKey, ObjectStoreEngine } from '@edgeloop/engines';
import { testEngines, type TestEngines } from '@edgeloop/testkit';
import { listenersOf } from './engines/listeners.ts';

/** Sockets and command lines of other processes are read from /proc. */
const onLinux = process.platform === 'linux' ? it : it.skip;

jest.setTimeout(180_000);

/** Who may do what in the object store, tried on the real server. */
describe('rights in the object store', () => {
  let suite: TestEngines;
  let store: ObjectStoreEngine;
  const clients: (S3Client | STSClient)[] = [];

  beforeAll(async () => {
    suite = await testEngines({ store: true });
    store = suite.engines.store as ObjectStoreEngine;
  });

  afterAll(async () => {
    for (const client of clients) client.destroy();
    await suite?.stop();
  });

  function kept<T extends S3Client | STSClient>(client: T): T {
    clients.push(client);
    return client;
  }

  function s3(credentials: AccessKey & { sessionToken?: string }): S3Client {
    return kept(
      new S3Client({
        endpoint: store.endpoint,
        region: store.region,
        forcePathStyle: true,
        credentials: { ...credentials },
        maxAttempts: 1,
      }),
    );
  }

  /** Rights of a session: the role's, narrowed to one prefix where `prefix` is given. */
  async function session(prefix?: string, by: AccessKey = store.issuer): Promise<S3Client> {
    const statement = { Effect: 'Allow', Action: ['s3:PutObject'], Resource: [`arn:aws:s3:::samples/${prefix}*`] };
    const sts = kept(new STSClient({ endpoint: store.stsEndpoint, region: store.region, credentials: { ...by }, maxAttempts: 1 }));
    const policy = prefix === undefined ? {} : { Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) };
    const { Credentials: keys } = await sts.send(
      new AssumeRoleCommand({ RoleArn: store.roleArn, RoleSessionName: 'test', DurationSeconds: 900, ...policy }),
    );
    return s3({ accessKeyId: keys?.AccessKeyId ?? '', secretAccessKey: keys?.SecretAccessKey ?? '', sessionToken: keys?.SessionToken });
  }

  const put = (client: S3Client, Bucket: string, Key: string, Body = 'x'): Promise<unknown> =>
    client.send(new PutObjectCommand({ Bucket, Key, Body }));
  const refused = { $metadata: { httpStatusCode: 403 } };

  it.each(['releases', 'samples', 'datasets', 'runs'])('lets services write, read, list and delete in %s', async (bucket) => {
    const service = s3(store.service);
    await put(service, bucket, 'dir/object', bucket);
    const read = await service.send(new GetObjectCommand({ Bucket: bucket, Key: 'dir/object' }));
    expect(await read.Body?.transformToString()).toBe(bucket);
    const listed = await service.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'dir/' }));
    expect(listed.Contents?.map(({ Key }) => Key)).toEqual(['dir/object']);
    await service.send(new HeadBucketCommand({ Bucket: bucket }));
    await service.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'dir/object' }));
  });

  it('keeps services out of everything else', async () => {
    const service = s3(store.service);
    await expect(put(service, 'probe', 'x')).rejects.toMatchObject(refused);
    await expect(service.send(new CreateBucketCommand({ Bucket: 'another' }))).rejects.toMatchObject(refused);
  });

  it('lets the issuer do nothing by itself', async () => {
    const issuer = s3(store.issuer);
    await expect(put(issuer, 'samples', 'n1/x')).rejects.toMatchObject(refused);
    await expect(issuer.send(new ListObjectsV2Command({ Bucket: 'samples' }))).rejects.toMatchObject(refused);
  });

  it('gives sessions to the issuer alone', async () => {
    await expect(session('n1/', store.service)).rejects.toMatchObject(refused);
    await expect(session('n1/', store.admin)).rejects.toMatchObject(refused);
  });

  it('lets a session put below its prefix and nothing else', async () => {
    const n1 = await session('n1/c1/');
    await put(n1, 'samples', 'n1/c1/a');
    const attempts = [
      put(n1, 'samples', 'n1/c2/a'),
      put(n1, 'samples', 'n11/c1/a'),
      put(n1, 'samples', 'n2/c1/a'),
      put(n1, 'releases', 'n1/c1/a'),
      n1.send(new GetObjectCommand({ Bucket: 'samples', Key: 'n1/c1/a' })),
      n1.send(new HeadObjectCommand({ Bucket: 'samples', Key: 'n1/c1/a' })),
      n1.send(new ListObjectsV2Command({ Bucket: 'samples', Prefix: 'n1/c1/' })),
      n1.send(new DeleteObjectCommand({ Bucket: 'samples', Key: 'n1/c1/a' })),
      n1.send(new CopyObjectCommand({ Bucket: 'samples', Key: 'n1/c1/b', CopySource: 'samples/n1/c1/a' })),
    ];
    for (const outcome of await Promise.allSettled(attempts)) expect(outcome).toMatchObject({ status: 'rejected', reason: refused });
    expect((await n1.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
  });

  it('never lets a session out of the samples bucket, whatever policy it was given', async () => {
    const whole = await session();
    await put(whole, 'samples', 'n5/c1/a');
    for (const bucket of ['releases', 'datasets', 'runs']) await expect(put(whole, bucket, 'n5/c1/a')).rejects.toMatchObject(refused);
    await expect(whole.send(new GetObjectCommand({ Bucket: 'samples', Key: 'n5/c1/a' }))).rejects.toMatchObject(refused);
  });

  it('lets exactly one of many create an object', async () => {
    const service = s3(store.service);
    const attempts = Array.from({ length: 8 }, (_, index) =>
      service.send(new PutObjectCommand({ Bucket: 'runs', Key: 'once', Body: String(index), IfNoneMatch: '*' })),
    );
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  onLinux('closes the side doors: neither filer nor volume serves or takes an object without a token', async () => {
    await put(s3(store.service), 'releases', 'secret', 'hidden');
    const ports = listenersOf(store.process.pid as number).map(({ port }) => port);
    const answers = await Promise.all(
      ports.map((port) =>
        fetch(`http://127.0.0.1:${port}/buckets/releases/secret`)
          .then(async (answer) => `${answer.status} ${await answer.text()}`)
          .catch(() => 'no HTTP'),
      ),
    );
    expect(answers.some((answer) => answer.startsWith('401'))).toBe(true);
    expect(answers.filter((answer) => answer.includes('hidden'))).toEqual([]);
    const writes = await Promise.all(
      ports.map((port) =>
        fetch(`http://127.0.0.1:${port}/buckets/releases/secret`, { method: 'PUT', body: 'forged' })
          .then(({ status }) => status)
          .catch(() => 0),
      ),
    );
    expect(writes.filter((status) => status >= 200 && status < 300)).toEqual([]);
  });

  onLinux('listens on the loopback address alone', () => {
    const listeners = [...listenersOf(store.process.pid as number), ...listenersOf(suite.engines.nats?.process.pid as number)];
    expect(listeners.length).toBeGreaterThan(4);
    expect(listeners.filter(({ address }) => address !== '127.0.0.1')).toEqual([]);
  });

  onLinux('keeps its answers quiet about the outside: no telemetry', () => {
    const command = readFileSync(`/proc/${store.process.pid}/cmdline`, 'utf8');
    expect(command).toContain('-master.telemetry=false');
  });

  onLinux('shows no secret to who lists processes', () => {
    const command = readFileSync(`/proc/${store.process.pid}/cmdline`, 'utf8');
    expect(command).not.toMatch(/password|secret|key=/i);
  });
});

import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type EngineProcess, type Engines, freePorts, type ObjectStoreEngine, startEngines, startNats } from '@edgeloop/engines';
import { engineEnvironment, eventually } from '@edgeloop/testkit';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';

const env = engineEnvironment();
/** Starting and stopping the object store twice takes ten seconds on a quiet machine. */
const SLOW_TEST_MS = 180_000;
const COMEBACK = { deadlineMs: 30_000 };

jest.setTimeout(SLOW_TEST_MS);

let dataDir: string;
let stops: (() => Promise<unknown>)[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'edgeloop-life-'));
  stops = [];
});

afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function start(only?: 'nats' | 'store', environment: Record<string, string | undefined> = env): Promise<Engines> {
  const engines = await startEngines({ dataDir, env: environment, only });
  stops.push(() => engines.stop());
  return engines;
}

async function core(engines: Engines): Promise<NatsConnection> {
  const creds = await readFile(engines.environment.NATS_CREDS as string);
  const reconnect = { reconnectTimeWait: 50, maxReconnectAttempts: -1 };
  const connection = await connect({ servers: engines.environment.NATS_URL, authenticator: credsAuthenticator(creds), ...reconnect });
  stops.push(() => connection.close());
  return connection;
}

async function killAndAwaitComeback(engine: EngineProcess): Promise<void> {
  const before = engine.pid;
  expect(before).toBeDefined();
  await engine.kill();
  await eventually(() => {
    expect(engine.pid).toBeDefined();
    expect(engine.pid).not.toBe(before);
  }, COMEBACK);
}

describe('a bus that is killed', () => {
  it('comes back by itself on its port with every acknowledged message', async () => {
    const engines = await start('nats');
    const connection = await core(engines);
    await (await jetstreamManager(connection)).streams.add({ name: 'FACTS', subjects: ['facts.>'] });
    const acked = new Set<string>();
    const publish = async (id: string): Promise<void> => {
      await jetstream(connection, { timeout: 2_000 }).publish(`facts.${id}`, id, { msgID: id });
      acked.add(id);
    };
    const publishAll = (from: number): Promise<unknown> =>
      Promise.allSettled(Array.from({ length: 50 }, (_, index) => publish(`m${from + index}`)));
    await publishAll(0);
    const inFlight = publishAll(50);
    await killAndAwaitComeback((engines.nats as NonNullable<Engines['nats']>).process);
    await inFlight;
    await eventually(() => publish('after'), COMEBACK);
    const info = await (await jetstreamManager(connection)).streams.info('FACTS', { subjects_filter: 'facts.>' });
    const lost = [...acked].filter((id) => info.state.subjects?.[`facts.${id}`] !== 1);
    expect(lost).toEqual([]);
    expect(acked.size).toBeGreaterThan(50);
  });
});

describe('an object store that is killed', () => {
  it('comes back by itself at its address with every object and the same keys', async () => {
    const engines = await start('store');
    const store = engines.store as ObjectStoreEngine;
    const client = new S3Client({
      endpoint: store.endpoint,
      region: store.region,
      forcePathStyle: true,
      credentials: { ...store.service },
      maxAttempts: 1,
    });
    stops.push(async () => client.destroy());
    const stored: string[] = [];
    const put = async (key: string): Promise<void> => {
      await client.send(new PutObjectCommand({ Bucket: 'runs', Key: key, Body: key.repeat(1_000) }));
      stored.push(key);
    };
    for (let index = 0; index < 10; index += 1) await put(`before-${index}`);
    const inFlight = Promise.allSettled(Array.from({ length: 10 }, (_, index) => put(`during-${index}`)));
    await killAndAwaitComeback(store.process);
    await inFlight;
    await eventually(() => put('after'), COMEBACK);
    for (const key of stored) {
      const found = await eventually(() => client.send(new GetObjectCommand({ Bucket: 'runs', Key: key })), COMEBACK);
      expect(await found.Body?.transformToString()).toBe(key.repeat(1_000));
    }
    expect(stored.length).toBeGreaterThan(10);
  });
});

describe('a data folder', () => {
  it('keeps keys and data over a stop and a new start, readable by the owner alone', async () => {
    const first = await startEngines({ dataDir, env });
    const environment = first.environment;
    await first.stop();
    const second = await start();
    expect(second.environment.S3_SECRET_ACCESS_KEY).toBe(environment.S3_SECRET_ACCESS_KEY);
    const secrets = [
      second.environment.NATS_CREDS,
      second.environment.EDGELOOP_NODES_SIGNING_SEED,
      second.environment.EDGELOOP_JOIN_CREDS,
    ] as string[];
    secrets.push(
      join(dataDir, 'nats', 'keys', 'seeds.json'),
      join(dataDir, 'store', 'keys', 'secrets.json'),
      join(dataDir, 'store', 'keys', 's3.json'),
    );
    for (const path of secrets) expect((await stat(path)).mode & 0o777).toBe(0o600);
    await core(second);
  });

  it('is worked on by one instance: a second one is told which process holds it and what to do', async () => {
    await start('nats');
    await expect(startEngines({ dataDir, env, only: 'nats' })).rejects.toMatchObject({
      name: 'InstanceRunningError',
      pid: process.pid,
      dataDir,
      message: expect.stringMatching(new RegExp(`pid ${process.pid}.*EDGELOOP_HOME`)),
    });
  });

  it('is free again after a stop, and after a failed start', async () => {
    await (await startEngines({ dataDir, env, only: 'nats' })).stop();
    await expect(
      startEngines({ dataDir, env: { ...env, EDGELOOP_NATS_SERVER: '/nowhere/nats-server' }, only: 'nats' }),
    ).rejects.toMatchObject({ name: 'EngineNotFoundError' });
    await start('nats');
  });
});

describe('a start that cannot work', () => {
  it('names the port that another program holds', async () => {
    const [port = 0] = await freePorts(1);
    const squatter = createServer().listen(port, '127.0.0.1');
    stops.push(() => new Promise((resolve) => squatter.close(resolve)));
    await expect(startNats({ dataDir, env, port })).rejects.toMatchObject({
      name: 'PortInUseError',
      ports: expect.arrayContaining([port]),
      message: expect.stringMatching(new RegExp(`${port}.*used by another program`, 's')),
    });
  });

  it('shows the last lines of an engine that dies at once', async () => {
    const broken = { ...env, EDGELOOP_NATS_SERVER: process.execPath };
    await expect(startEngines({ dataDir, env: broken, only: 'nats' })).rejects.toMatchObject({
      name: 'EngineStartError',
      engine: 'nats-server',
      lastLines: expect.arrayContaining([expect.stringContaining('ERR_UNKNOWN_FILE_EXTENSION')]),
    });
  });
});

describe('servers of your own', () => {
  it('win: nothing embedded is started for them', async () => {
    const engines = await start(undefined, {
      ...env,
      NATS_URL: 'nats://bus.example:4222',
      S3_ENDPOINT: 'https://s3.example',
      S3_ACCESS_KEY_ID: 'id',
      S3_SECRET_ACCESS_KEY: 'secret',
    });
    expect(engines.processes).toEqual([]);
    expect(engines.environment).toMatchObject({
      NATS_URL: 'nats://bus.example:4222',
      S3_ENDPOINT: 'https://s3.example',
      STS_ENDPOINT: 'https://s3.example',
      S3_REGION: 'us-east-1',
    });
    expect(engines.environment).not.toHaveProperty('NATS_CREDS');
  });

  it('must come with their keys', async () => {
    await expect(start(undefined, { ...env, S3_ENDPOINT: 'https://s3.example' })).rejects.toMatchObject({
      name: 'EngineSettingsError',
      missing: ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'],
    });
  });
});

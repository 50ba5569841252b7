import { connectBus, type Bus } from '@edgeloop/bus';
import { RunCompleted, type PackageBuilt, type EventContract, type ModelCard, type ObjectRef, type PayloadOf } from '@edgeloop/contracts';
import { buildManifest, writePackage } from '@edgeloop/model-package';
import { StoreConfig, readConfig } from '@edgeloop/runtime';
import { RELEASES_BUCKET, contentKey, digestOf, storeFromConfig, type ObjectStore } from '@edgeloop/store';
import { blockDetector, eventually, testEngines, type TestEngines } from '@edgeloop/testkit';
import { TufClient } from '@edgeloop/trust';
import { encodeJpeg } from '@edgeloop/vision';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SIDE = 160;
const BLOCK = 16;
const LINK_SECONDS = 600;
const EVENT_DEADLINE_MS = 60_000;

export const BLOCK_CARD: ModelCard = {
  name: 'blocks',
  version: 'v1',
  classes: ['red', 'blue'],
  input: { width: SIDE, height: SIDE, range: '0..1', order: 'RGB' },
  thresholds: [0.4, 0.4],
  nmsIou: 0.45,
};

/** Real labelled photos and trained models, where this machine has them. */
export function sharedData(...path: string[]): string | undefined {
  const root = process.env['EDGELOOP_SHARED_DATA'] ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url));
  const found = join(root, ...path);
  return existsSync(found) ? found : undefined;
}

/** A bus and a store, and what a run and its spectators do with them. */
export class ReleaseFixture {
  readonly engines: TestEngines;
  readonly bus: Bus;
  readonly store: ObjectStore;

  private constructor(engines: TestEngines, bus: Bus) {
    this.engines = engines;
    this.bus = bus;
    this.store = storeFromConfig(readConfig('spec', StoreConfig, { ...engines.environment }));
  }

  static async start(): Promise<ReleaseFixture> {
    const engines = await testEngines({ store: true });
    const { NATS_URL = '', NATS_CREDS = '' } = engines.environment;
    const bus = await connectBus({ service: 'release-spec', url: NATS_URL, creds: { path: NATS_CREDS } });
    await bus.provision();
    return new ReleaseFixture(engines, bus);
  }

  async stop(): Promise<void> {
    await this.bus.drain();
    await this.engines.stop();
  }

  /** Environment of a service; its files lie below the data folder. */
  environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
    return { ...this.engines.environment, PATH: process.env['PATH'], EDGELOOP_DATA_DIR: this.engines.dataDir, LOG_LEVEL: 'error', ...more };
  }

  async putModel(bytes: Uint8Array): Promise<ObjectRef> {
    return await this.store.put({ bucket: 'runs', key: contentKey('models', digestOf(bytes), 'onnx') }, bytes);
  }

  async putPicture(bytes: Uint8Array): Promise<ObjectRef> {
    return await this.store.put({ bucket: 'datasets', key: contentKey('pictures', digestOf(bytes), 'jpg') }, bytes);
  }

  /** Says that a run completed, as the trainer does. */
  async complete(runId: string, model: ObjectRef, more: Partial<PayloadOf<typeof RunCompleted>> = {}): Promise<void> {
    const goldenPictures = more.goldenPictures ?? [await this.putPicture(await blockPicture())];
    const run = {
      runId,
      model,
      card: BLOCK_CARD,
      datasetId: null,
      datasetDigest: null,
      gate: null,
      trainSeconds: 1,
      ...more,
      goldenPictures,
    };
    await this.bus.publish(RunCompleted, run, { id: `run.completed/${runId}` });
  }

  /** A package as the packager announces it, of a model that really runs. */
  async packageOf(version: string, ballast = 0): Promise<PayloadOf<typeof PackageBuilt>> {
    const model = blockDetector({ ballast });
    const picture = await blockPicture();
    const vectors = [{ picture: 'golden/00.jpg', pictureDigest: digestOf(picture), expected: [] }];
    const pictures = new Map([['golden/00.jpg', picture]]);
    const runId = `run-${version}-${ballast}`;
    const manifest = buildManifest({
      card: { ...BLOCK_CARD, version },
      model: { digest: digestOf(model), bytes: model.byteLength },
      inspection: { opset: 13, initializerBytes: 10_000 },
      shape: { layout: 'yolov5', rows: 100, classCount: 2 },
      goldens: { vectors, pictures, blind: true },
      origin: { runId, datasetId: null, datasetDigest: null },
    });
    const bytes = await writePackage({ manifest, model, pictures });
    const digest = digestOf(bytes);
    const archive = await this.store.put({ bucket: 'runs', key: `packages/${digest.slice(7)}.zip` }, bytes);
    return { packageId: `pkg-${digest.slice(7, 23)}`, runId, archive, model: await this.putModel(model), manifest };
  }

  /** Short-lived links to everything that the repository holds now, as the fleet hands them out. */
  async links(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for await (const { bucket, key } of this.store.list(RELEASES_BUCKET, ''))
      found[key] = await this.store.presignGet({ bucket, key }, LINK_SECONDS);
    return found;
  }

  /** A node that knows nothing but the first root. */
  async freshNode(): Promise<TufClient> {
    const root = await this.store.read({ bucket: RELEASES_BUCKET, key: 'metadata/1.root.json' });
    return new TufClient({ folder: await mkdtemp(join(this.engines.dataDir, 'node-')), shippedRoot: Buffer.from(root).toString('utf8') });
  }

  async events<C extends EventContract>(contract: C): Promise<PayloadOf<C>[]> {
    const found: PayloadOf<C>[] = [];
    for await (const each of this.bus.history('LOOP')) if (each.contract.type === contract.type) found.push(each.payload as PayloadOf<C>);
    return found;
  }

  /** Waits for the first such event that the question accepts. */
  async seen<C extends EventContract>(contract: C, wanted: (payload: PayloadOf<C>) => boolean): Promise<PayloadOf<C>> {
    return await eventually(
      async () => {
        const found = (await this.events(contract)).find(wanted);
        if (found === undefined) throw new Error(`no ${contract.type} was published that was waited for`);
        return found;
      },
      { deadlineMs: EVENT_DEADLINE_MS, pollMs: 100 },
    );
  }
}

/** A grey picture with a red and a blue block. */
export async function blockPicture(): Promise<Uint8Array> {
  const rgb = new Uint8Array(SIDE * SIDE * 3).fill(110);
  for (const [column, row, colour] of [
    [2, 3, [255, 0, 0]],
    [6, 6, [0, 0, 255]],
  ] as const)
    for (let y = 0; y < BLOCK; y += 1)
      for (let x = 0; x < BLOCK; x += 1) rgb.set(colour, ((row * BLOCK + y) * SIDE + column * BLOCK + x) * 3);
  return await encodeJpeg({ width: SIDE, height: SIDE, rgb }, 95);
}

import { connectBus, type Bus } from '@edgeloop/bus';
import { RunCompleted, type EventContract, type ModelCard, type ObjectRef, type PayloadOf } from '@edgeloop/contracts';
import { StoreConfig, readConfig } from '@edgeloop/runtime';
import { contentKey, digestOf, storeFromConfig, type ObjectStore } from '@edgeloop/store';
import { eventually, testEngines, type TestEngines } from '@edgeloop/testkit';
import { encodeJpeg } from '@edgeloop/vision';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SIDE = 160;
const BLOCK = 16;
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

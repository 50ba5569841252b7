import { connectBus, type Bus } from '@edgeloop/bus';
import { AskDatasets, AskSamples, AskSnapshot, DatasetSnapshot, DatasetSnapshotted, type SampleManifest } from '@edgeloop/contracts';
import { createLogger, StoreConfig } from '@edgeloop/runtime';
import { readVerified, storeFromConfig } from '@edgeloop/store';
import { eventually, LedgerChecker, ProcessKiller, testEngines, type TestEngines } from '@edgeloop/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CameraNode, pictureOf } from '../integration/collection/camera-node.ts';
import { BOX, LabelingDesk } from '../integration/collection/labeling-desk.ts';
import { SupervisedService } from './collection/supervised-service.ts';

const PICTURES = 40;
const PATIENCE_MS = 150_000;
/** A node that has no receipt by then says again what it has uploaded. */
const RESEND_MS = 3_000;

let suite: TestEngines;
let bus: Bus;
let collector: SupervisedService;
let bridge: SupervisedService;
let killer: ProcessKiller;
let node: CameraNode;
let desk: LabelingDesk;
let url = '';

beforeAll(async () => {
  suite = await testEngines({ store: true });
  const env = {
    ...suite.environment,
    LOG_LEVEL: 'info',
    LABELING_CLASSES: 'helmet,head',
    LABELING_CLAIM_MS: '1000',
    LABELING_SNAPSHOT_LABELS: '100000',
  };
  [collector, bridge] = ['collector', 'labeling-bridge'].map((name) => new SupervisedService(name, { env, logDir: suite.dataDir })) as [
    SupervisedService,
    SupervisedService,
  ];
  killer = new ProcessKiller([collector, bridge]);
  const creds = { path: String(suite.environment.NATS_CREDS) };
  bus = await connectBus({ service: 'spec', url: String(suite.environment.NATS_URL), creds, log: createLogger('spec', 'error') });
  await bus.provision();
  for (const service of [collector, bridge]) service.start();
  node = await CameraNode.connect(suite, 'n1');
  desk = new LabelingDesk({ bus: () => bus, store: storeFromConfig(StoreConfig.parse(suite.environment)), url: () => url });
}, 120_000);

afterAll(async () => {
  await node?.bus.close();
  await Promise.all([collector?.stop(), bridge?.stop()]);
  await bus?.drain();
  await suite?.stop();
}, 60_000);

async function stored(stream: 'SAMPLES' | 'LABELS'): Promise<string[]> {
  const found: string[] = [];
  for await (const { payload } of bus.history(stream)) found.push((payload as { sampleId: string }).sampleId);
  return found;
}

/** As a node does: upload until it is stored, announce, ask for receipts, and announce again what nobody has. */
async function deliverAll(checker: LedgerChecker): Promise<readonly SampleManifest[]> {
  const manifests: SampleManifest[] = [];
  for (let seed = 0; seed < PICTURES; seed++) {
    const bytes = await pictureOf(seed);
    await eventually(async () => expect(await node.upload(bytes)).toMatchObject({ kind: 'stored' }), { deadlineMs: PATIENCE_MS });
    manifests.push(node.manifestOf(bytes));
  }
  const waiting = new Map(manifests.map((manifest) => [manifest.sampleId, manifest]));
  for (let round = 0; waiting.size > 0; round++) {
    for (const manifest of waiting.values()) {
      checker.add({ actor: 'node', itemId: manifest.sampleId, kind: 'accepted' });
      await eventually(() => node.announce(manifest, round), { deadlineMs: PATIENCE_MS });
    }
    await collectReceipts(waiting, checker);
  }
  return manifests;
}

async function collectReceipts(waiting: Map<string, SampleManifest>, checker: LedgerChecker): Promise<void> {
  const until = Date.now() + RESEND_MS;
  while (waiting.size > 0 && Date.now() < until) {
    const answer = await node.receipts(...waiting.keys()).catch(() => ({ accepted: [] as string[] }));
    for (const itemId of answer.accepted) {
      waiting.delete(itemId);
      checker.add({ actor: 'collector', itemId, kind: 'acked' });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** As a person does: take the next open task, answer it, and try again when the page does not answer. */
async function labelAll(checker: LedgerChecker): Promise<void> {
  const done = new Set<string>();
  const deadline = Date.now() + PATIENCE_MS;
  while (done.size < PICTURES && Date.now() < deadline) {
    const tasks = await nextTasks();
    for (const task of tasks) {
      checker.add({ actor: 'ann', itemId: task.sampleId, kind: 'accepted' });
      const answer = await desk.label(task.taskId, [BOX]).catch(() => undefined);
      if (answer?.status !== 200 || done.has(task.sampleId)) continue;
      done.add(task.sampleId);
      checker.add({ actor: 'labeling-bridge', itemId: task.sampleId, kind: 'acked' });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** After a kill the API has another port. An answer whose confirmation was lost is given again by the same person. */
async function nextTasks(): Promise<{ taskId: string; sampleId: string }[]> {
  try {
    url = (await bus.ask(AskDatasets, {}, { timeoutMs: 2_000 })).apiUrl;
    const [open, answered] = await Promise.all([desk.openTasks(), desk.call('GET', '/v1/tasks?status=answered&limit=500')]);
    return [...open, ...answered.body.tasks];
  } catch {
    return [];
  }
}

/** Kills at moments of progress, so that each bites in the middle of work whatever the machine's speed. */
async function killAlong(): Promise<void> {
  const plan: [SupervisedService, 'SAMPLES' | 'LABELS', number][] = [
    [collector, 'SAMPLES', 3],
    [bridge, 'LABELS', 3],
    [collector, 'SAMPLES', 15],
    [bridge, 'LABELS', 15],
  ];
  for (const [service, stream, count] of plan) {
    await eventually(async () => expect((await stored(stream)).length).toBeGreaterThanOrEqual(count), { deadlineMs: PATIENCE_MS });
    await killer.kill(service.name);
  }
}

describe('the collector and the labeling bridge, each killed twice in the middle of their work', () => {
  it('lose no sample and no label, and double none', async () => {
    const samples = new LedgerChecker();
    const labels = new LedgerChecker();
    await Promise.all([deliverAll(samples), labelAll(labels), killAlong()]);
    expect(killer.kills).toHaveLength(4);
    for (const itemId of await stored('SAMPLES')) samples.add({ actor: 'ledger', itemId, kind: 'applied' });
    for (const itemId of await stored('LABELS')) labels.add({ actor: 'ledger', itemId, kind: 'applied' });
    expect(samples.verdict().counts).toEqual({ ok: PICTURES, lost: 0, unknown: 0, duplicated: 0, unexpected: 0 });
    expect(labels.verdict().counts).toEqual({ ok: PICTURES, lost: 0, unknown: 0, duplicated: 0, unexpected: 0 });
    const shown = await eventually(() => bus.ask(AskSamples, {}), { deadlineMs: 30_000 });
    expect(shown).toMatchObject({ accepted: PICTURES, quarantined: 0 });
    // A run in which nothing came twice did not test anything.
    expect(shown.redelivered + samples.verdict().retries).toBeGreaterThan(0);
  }, 240_000);

  it('make one dataset of all of it', async () => {
    const frozen = await eventually(() => bus.ask(AskSnapshot, { reason: 'spec' }), { deadlineMs: 30_000 });
    expect(frozen).toMatchObject({ version: 1, newLabels: PICTURES });
    const announced = await bus.lastOf(DatasetSnapshotted, { datasetId: frozen.datasetId });
    const store = storeFromConfig(StoreConfig.parse(suite.environment));
    const snapshot = DatasetSnapshot.parse(JSON.parse(Buffer.from(await readVerified(store, announced!.payload.manifest)).toString()));
    expect(snapshot.items).toHaveLength(PICTURES);
    expect(new Set(snapshot.items.map(({ sampleId }) => sampleId)).size).toBe(PICTURES);
  }, 60_000);
});

import type { Bus } from '@edgeloop/bus';
import {
  AskDatasets,
  AskSnapshot,
  CampaignClosed,
  CampaignStarted,
  DatasetSnapshotted,
  type DatasetSnapshot,
  type ObjectRef,
} from '@edgeloop/contracts';
import { labelingService } from '@edgeloop/labeling-bridge';
import { startService, type RunningService } from '@edgeloop/nest-bus';
import { StoreConfig } from '@edgeloop/runtime';
import { hexOf, sampleKey, sha256Hex, storeFromConfig, type ObjectStore } from '@edgeloop/store';
import { eventually, testEngines, type TestEngines } from '@edgeloop/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BOX, LabelingDesk } from './collection/labeling-desk.ts';

const TOKEN = 'labeling-token';

let suite: TestEngines;
let store: ObjectStore;
let open: RunningService;
let guarded: RunningService;
let bus: Bus;
let url: string;
let guardedUrl: string;
let desk: LabelingDesk;

function environment(changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const split = { trainEnough: 5, holdoutWanted: 2, holdoutShare: 0.25, nearDuplicateBits: 0, neighbourBits: 0 };
  return {
    ...suite.environment,
    LOG_LEVEL: 'error',
    LABELING_TICK_MS: '100',
    LABELING_SNAPSHOT_LABELS: '1000',
    LABELING_SNAPSHOT_LABELS_MIN: '3',
    LABELING_SPLIT: JSON.stringify(split),
    ...changes,
  };
}

beforeAll(async () => {
  suite = await testEngines({ store: true });
  store = storeFromConfig(StoreConfig.parse(suite.environment));
  open = await startService(labelingService, environment());
  bus = open.bus;
  url = (await bus.ask(AskDatasets, {})).apiUrl;
  desk = new LabelingDesk({ bus: () => bus, store, url: () => url });
  guarded = await startService(labelingService, environment({ LABELING_API_TOKEN: TOKEN }));
  // Two replicas compete for the question; ask until the other one answers.
  guardedUrl = await eventually(async () => {
    const { apiUrl } = await bus.ask(AskDatasets, {});
    expect(apiUrl).not.toBe(url);
    return apiUrl;
  });
}, 120_000);

afterAll(async () => {
  await guarded?.stop();
  await open?.stop();
  await suite?.stop();
}, 60_000);

let imported: { datasetId: string; version: number };

describe('importing what was labelled before', () => {
  it('is refused with the item and the cause, and changes nothing', async () => {
    const good = await desk.importedPicture(1_000);
    const broken = Buffer.from('no picture');
    const unreadable = await store.put({ bucket: 'datasets', key: 'pictures/broken.jpg' }, broken);
    const missing = { ...good, key: 'pictures/missing.jpg' };
    const item = (picture: ObjectRef, boxes = [BOX]) => ({ picture, boxes, slice: 'day' });
    const refused = async (content: unknown) => desk.importList(content).catch((failure: unknown) => failure);
    expect(await refused('{not json')).toMatchObject({ name: 'AskRefusedError', code: 'unreadable-list' });
    expect(await refused({ classes: [], items: [item(good)] })).toMatchObject({ code: 'no-classes' });
    expect(await refused({ classes: ['helmet'], items: [] })).toMatchObject({ code: 'no-items' });
    expect(await refused({ classes: ['helmet'], items: [item(good, [{ ...BOX, classId: 4 }])] })).toMatchObject({
      code: 'class-out-of-range',
    });
    expect(await refused({ classes: ['helmet'], items: [item(good), item(unreadable)] })).toMatchObject({
      code: 'unreadable-picture',
      message: expect.stringContaining('item 1 (pictures/broken.jpg)'),
    });
    expect(await refused({ classes: ['helmet'], items: [item(missing)] })).toMatchObject({
      code: 'unreadable-object',
      message: expect.stringContaining('pictures/missing.jpg'),
    });
    expect((await bus.ask(AskDatasets, {})).datasets).toEqual([]);
  });

  it('freezes a dataset, and the same list again is the same dataset', async () => {
    const pictures = await Promise.all(Array.from({ length: 6 }, (_, index) => desk.importedPicture(1_000 + index)));
    const content = { classes: ['helmet', 'head'], items: pictures.map((picture) => ({ picture, boxes: [BOX], slice: 'day' })) };
    imported = await desk.importList(content);
    expect(imported).toMatchObject({ version: 1, datasetId: expect.stringMatching(/^ds-[0-9a-f]{16}$/) });
    expect(await desk.importList(content)).toEqual(imported);
    const announced = await bus.lastOf(DatasetSnapshotted, { datasetId: imported.datasetId });
    expect(announced?.payload).toMatchObject({
      parent: null,
      classes: ['helmet', 'head'],
      counts: { items: 6, train: 6, holdout: 0, newLabels: 0, perSlice: { day: { train: 6, holdout: 0 } } },
    });
    const { manifest } = announced!.payload;
    expect(manifest.key).toBe(`snapshots/${hexOf(manifest.digest)}.json`);
    const snapshot = await desk.snapshotOf(imported.datasetId);
    expect(snapshot.items.map(({ sampleId }) => sampleId)).toEqual(pictures.map(({ digest }) => hexOf(digest)).toSorted());
  });

  it('must bring the same classes', async () => {
    const content = { classes: ['head', 'helmet'], items: [{ picture: await desk.importedPicture(1_050), boxes: [], slice: 'day' }] };
    await expect(desk.importList(content)).rejects.toMatchObject({ code: 'classes-differ' });
  });
});

describe('labeling', () => {
  it('makes one task of a sample, however often it is announced', async () => {
    const sampleId = await desk.acceptSample(1);
    await desk.acceptSample(1);
    const tasks = await eventually(async () => {
      const found = await desk.openTasks();
      expect(found).toHaveLength(1);
      return found;
    });
    expect(tasks[0]).toMatchObject({ sampleId, status: 'open', preLabels: [{ classId: 0, score: 0.4 }], width: 64, height: 48 });
    expect(tasks[0].taskId).toBe(sha256Hex(`n1/${sampleId}`).slice(0, 32));
  });

  it('shows the very picture', async () => {
    const [task] = await desk.openTasks();
    const answer = await fetch(`${url}${task.picture.url}`);
    expect(answer.headers.get('content-type')).toBe('image/jpeg');
    expect(sha256Hex(Buffer.from(await answer.arrayBuffer()))).toBe(task.sampleId);
  });

  it('lets one of many have a task, also across replicas', async () => {
    const [task] = await desk.openTasks();
    const claims = Array.from({ length: 8 }, (_, index) => {
      const base = index % 2 === 0 ? url : guardedUrl;
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` };
      return fetch(`${base}/v1/tasks/${task.taskId}/claim`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ annotator: `person-${index}` }),
      });
    });
    const statuses = (await Promise.all(claims)).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, ...Array.from({ length: 7 }, () => 409)]);
    const { body } = await desk.call('POST', `/v1/tasks/${task.taskId}/claim`, { annotator: 'somebody-else' });
    expect(body.error).toMatchObject({
      code: 'claimed-by-other',
      say: expect.stringMatching(/person-\d works on this task until .*claim another one/),
    });
    const { claimedBy } = (await desk.call('GET', `/v1/tasks/${task.taskId}`)).body.task;
    expect(claimedBy).toMatch(/^person-/);
    expect((await desk.call('POST', `/v1/tasks/${task.taskId}/answer`, { annotator: claimedBy, boxes: [BOX] })).status).toBe(200);
  });

  it('says what is wrong with an answer', async () => {
    await desk.acceptSample(2);
    const [task] = await eventually(async () => {
      const found = await desk.openTasks();
      expect(found).toHaveLength(1);
      return found;
    });
    const path = `/v1/tasks/${task.taskId}/answer`;
    expect(await desk.call('POST', path, { annotator: 'ann', boxes: [BOX] })).toMatchObject({
      status: 409,
      body: { error: { code: 'not-claimed' } },
    });
    await desk.call('POST', `/v1/tasks/${task.taskId}/claim`, { annotator: 'ann' });
    const answer = (boxes: unknown) => desk.call('POST', path, { annotator: 'ann', boxes });
    expect(await answer([{ ...BOX, cx: Number.NaN }])).toMatchObject({
      status: 400,
      body: { error: { say: expect.stringContaining('boxes.0.cx') } },
    });
    expect(await answer([{ ...BOX, w: 0 }])).toMatchObject({ status: 400 });
    expect(await answer([{ ...BOX, extra: 1 }])).toMatchObject({ status: 400 });
    expect(await answer([{ ...BOX, classId: 2 }])).toMatchObject({
      status: 400,
      body: { error: { code: 'bad-box', say: expect.stringContaining('0 helmet, 1 head') } },
    });
    expect(await answer(Array.from({ length: 301 }, () => BOX))).toMatchObject({ status: 400 });
    expect(await desk.call('POST', path, '{not json')).toMatchObject({ status: 400 });
    expect(await desk.call('POST', '/v1/tasks/nonsense/claim', { annotator: 'ann' })).toMatchObject({ status: 400 });
    expect(await desk.call('POST', `/v1/tasks/${'0'.repeat(32)}/claim`, { annotator: 'ann' })).toMatchObject({ status: 404 });
    expect(await desk.call('GET', '/v1/tasks?status=wrong')).toMatchObject({ status: 400 });
    expect(await desk.call('GET', '/nowhere')).toMatchObject({ status: 404 });
    expect(await answer([])).toMatchObject({ status: 200, body: { task: { status: 'answered' } } });
  });

  it('keeps the first answer; the same again is fine, another is a conflict', async () => {
    const sampleId = await desk.acceptSample(3);
    const taskId = sha256Hex(`n1/${sampleId}`).slice(0, 32);
    await eventually(async () => expect((await desk.call('GET', `/v1/tasks/${taskId}`)).status).toBe(200));
    const first = await desk.label(taskId);
    expect(first).toMatchObject({ status: 200, body: { task: { answer: { annotator: 'ann' } } } });
    expect(await desk.call('POST', `/v1/tasks/${taskId}/answer`, { annotator: 'ann', boxes: [BOX] })).toEqual(first);
    const other = await desk.call('POST', `/v1/tasks/${taskId}/answer`, { annotator: 'ann', boxes: [] });
    expect(other).toMatchObject({
      status: 409,
      body: { error: { code: 'already-answered', say: expect.stringContaining('claim another one') } },
    });
    expect(await desk.call('POST', `/v1/tasks/${taskId}/skip`, { annotator: 'bob' })).toMatchObject({ status: 409 });
  });

  it('says when the picture is gone, and lets it be skipped', async () => {
    const sampleId = await desk.acceptSample(4);
    const taskId = sha256Hex(`n1/${sampleId}`).slice(0, 32);
    await eventually(async () => expect((await desk.call('GET', `/v1/tasks/${taskId}`)).status).toBe(200));
    await store.delete({ bucket: 'samples', key: sampleKey('n1', 'base', sampleId) });
    expect(await desk.call('GET', `/v1/tasks/${taskId}/picture`)).toMatchObject({ status: 410, body: { error: { code: 'picture-gone' } } });
    await desk.call('POST', `/v1/tasks/${taskId}/claim`, { annotator: 'ann' });
    expect(await desk.call('POST', `/v1/tasks/${taskId}/skip`, { annotator: 'ann' })).toMatchObject({
      status: 200,
      body: { task: { status: 'skipped' } },
    });
  });

  it('asks for the token where one is set', async () => {
    expect((await fetch(`${guardedUrl}/v1/tasks`)).status).toBe(401);
    expect((await fetch(`${guardedUrl}/v1/tasks`, { headers: { authorization: 'Bearer wrong-token' } })).status).toBe(401);
    expect((await fetch(`${guardedUrl}/v1/tasks`, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
    expect((await fetch(`${guardedUrl}/healthz`)).status).toBe(200);
  });

  it('counts', async () => {
    await eventually(async () => expect((await bus.ask(AskDatasets, {})).tasks).toEqual({ open: 0, claimed: 0, answered: 3, skipped: 1 }));
  });
});

describe('the dataset', () => {
  let second: DatasetSnapshot;

  it('is frozen by hand, once for the same labels', async () => {
    const frozen = await bus.ask(AskSnapshot, { reason: 'spec' });
    expect(frozen).toMatchObject({ version: 2, newLabels: 3 });
    second = await desk.snapshotOf(frozen.datasetId);
    expect(second.parent).toBe(imported.datasetId);
    expect(second.items).toHaveLength(9);
    expect(second.items.filter(({ origin }) => origin === 'collected')).toHaveLength(3);
    await expect(bus.ask(AskSnapshot, { reason: 'again' })).rejects.toMatchObject({ code: 'nothing-new' });
  });

  it('is frozen by itself when a campaign has closed and is answered, and nothing changes sides', async () => {
    const campaignId = 'drift-9';
    const policy = { policyId: 'drift', version: 9, rules: [], nearDuplicateBits: 0, samplesMax: null };
    const started = { campaignId, reason: 'spec', policy, nodes: { all: true as const }, samplesTotal: 10, deadline: null };
    await bus.publish(CampaignStarted, started, { id: 'started' });
    const night = await Promise.all(Array.from({ length: 8 }, (_, index) => desk.acceptSample(100 + index, { campaignId })));
    const day = await Promise.all(Array.from({ length: 2 }, (_, index) => desk.acceptSample(200 + index, { campaignId, brightness: 0.6 })));
    const tasks = await eventually(async () => {
      const found = await desk.openTasks();
      expect(found).toHaveLength(10);
      return found;
    });
    for (const task of tasks.slice(1)) expect((await desk.label(task.taskId)).status).toBe(200);
    await bus.publish(CampaignClosed, { campaignId, outcome: 'full', accepted: 10 }, { id: 'closed' });
    await desk.label(tasks[0].taskId);
    const view = await eventually(
      async () => {
        const [newest] = (await bus.ask(AskDatasets, {})).datasets;
        expect(newest).toMatchObject({ version: 3, newLabels: 10 });
        return newest!;
      },
      { deadlineMs: 30_000 },
    );
    const third = await desk.snapshotOf(view.datasetId);
    const splitOf = new Map(third.items.map(({ sampleId, split }) => [sampleId, split]));
    for (const { sampleId, split } of second.items) expect(splitOf.get(sampleId)).toBe(split);
    expect(day.map((sampleId) => splitOf.get(sampleId))).toEqual(['holdout', 'holdout']);
    const nightHoldout = third.items.filter(({ slice, split }) => slice === 'night' && split === 'holdout').length;
    expect(nightHoldout).toBe(Math.round(0.25 * (night.length + 3)));
    const announced = await bus.lastOf(DatasetSnapshotted, { datasetId: view.datasetId });
    expect(announced?.payload).toMatchObject({
      reason: expect.stringContaining(campaignId),
      counts: { newLabels: 10, newPerClass: { helmet: 10, head: 0 } },
    });
  });

  it('is the same after a restart, and no snapshot is made twice', async () => {
    const before = await bus.ask(AskDatasets, {});
    await guarded.stop();
    await open.stop();
    open = await startService(labelingService, environment());
    bus = open.bus;
    const after = await bus.ask(AskDatasets, {});
    expect(after.datasets).toEqual(before.datasets);
    expect(after.tasks).toEqual(before.tasks);
    let announced = 0;
    for await (const { contract } of bus.history('LOOP')) if (contract.type === 'dataset.snapshotted') announced += 1;
    expect(announced).toBe(before.datasets.length);
  });
});

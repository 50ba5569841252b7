import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { connectBus } from '@edgeloop/bus';
import type { Bus } from '@edgeloop/bus';
import {
  AskCancelRun,
  AskRuns,
  AskStartRun,
  DatasetSnapshotted,
  RunCompleted,
  RunEnded,
  RunJudged,
  RunStarted,
  RunStepStarted,
} from '@edgeloop/contracts';
import type { EventContract, ObjectRef, PayloadOf } from '@edgeloop/contracts';
import { startService } from '@edgeloop/nest-bus';
import type { RunningService } from '@edgeloop/nest-bus';
import { StoreConfig, readConfig } from '@edgeloop/runtime';
import { contentKey, digestOf, jsonBytes, storeFromConfig } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';
import { eventually, testEngines } from '@edgeloop/testkit';
import type { TestEngines } from '@edgeloop/testkit';
import { trainerService } from '@edgeloop/trainer';

/** Deaths of the trainer that one execution may cost (services/trainer/src/domain/run.ts): restarts are none. */
const CRASHES_MAX = 4;

const scores = (map50: number) => ({ map50, perClass: {}, frames: 20, boxes: 60 });
const evaluation = (candidate: number, incumbent: number | null) => ({
  candidate: { overall: scores(candidate), slices: { night: scores(candidate) } },
  incumbent: incumbent === null ? null : { overall: scores(incumbent), slices: { night: scores(incumbent) } },
});
const card = {
  classes: ['helmet', 'head'],
  input: { width: 64, height: 64, range: '0..1', order: 'RGB' },
  thresholds: [0.4, 0.4],
  nmsIou: 0.5,
};

/** A project whose steps are shell lines: what is tested is the trainer, not a framework. */
const PROJECT = `
- step:
    name: pre-process
    image: none
    command: [ 'cp $VH_INPUTS_DIR/snapshot/snapshot.json $VH_OUTPUTS_DIR/data.json', 'ls $VH_INPUTS_DIR/samples > $VH_OUTPUTS_DIR/samples.txt' ]
    inputs: [ { name: snapshot }, { name: samples } ]
- step:
    name: train
    image: none
    command:
      - echo '{"step":1,"steps":2,"loss":0.5}'
      - echo begun >> $EDGELOOP_WORK_DIR/starts
      - if test -f "$FIXTURE/hang"; then sleep 60; fi
      - if test -f "$FIXTURE/fail"; then echo "no memory left on the device" >&2; exit 3; fi
      - if ! test -f "$FIXTURE/no-model"; then cat $VH_INPUTS_DIR/data/data.json > $VH_OUTPUTS_DIR/model.onnx; fi
    inputs: [ { name: data }, { name: base, optional: true } ]
    environment-variables: [ { name: FIXTURE, default: FIXTURE_FOLDER } ]
- step:
    name: evaluate
    image: none
    command: [ 'cp FIXTURE_FOLDER/evaluation.json $VH_OUTPUTS_DIR/' ]
    inputs: [ { name: model, optional: true }, { name: incumbent, optional: true } ]
- step:
    name: deploy
    image: none
    command: [ 'cp $VH_INPUTS_DIR/model/* $VH_OUTPUTS_DIR/ || true', 'cp FIXTURE_FOLDER/model.json $VH_OUTPUTS_DIR/' ]
    inputs: [ { name: model, optional: true } ]
- step:
    name: import-model
    image: none
    command: [ 'cp $VH_INPUTS_DIR/model/model.onnx $VH_OUTPUTS_DIR/' ]
    inputs: [ { name: model } ]
- pipeline:
    name: retrain
    nodes:
      - { name: pre-process, type: execution, step: pre-process }
      - { name: train, type: execution, step: train }
      - { name: evaluate, type: execution, step: evaluate }
      - { name: deploy, type: execution, step: deploy }
    edges:
      - [ pre-process.output.data.json, train.input.data ]
      - [ train.output.model.onnx, evaluate.input.model ]
      - [ train.output.model.onnx, deploy.input.model ]
`;

let engines: TestEngines;
let bus: Bus;
let store: ObjectStore;
let service: RunningService | undefined;
let fixture: string;
let turn = 0;

async function startTrainer(): Promise<RunningService> {
  service = await startService(trainerService, {
    ...engines.environment,
    PATH: process.env['PATH'],
    EDGELOOP_DATA_DIR: engines.dataDir,
    TRAINER_PROJECT: fixture,
    TRAINER_NEW_LABELS: '10',
    TRAINER_PIPELINE_FIRST_MODEL: 'retrain',
    LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'error',
  });
  return service;
}

async function setFixture(name: string, content: string): Promise<void> {
  await writeFile(join(fixture, name), content);
}

async function storePicture(text: string): Promise<ObjectRef> {
  const bytes = Buffer.from(text);
  return store.put({ bucket: 'datasets', key: contentKey('pictures', digestOf(bytes), 'jpg') }, bytes);
}

/** Publishes a frozen dataset, as the labeling bridge does. */
async function snapshot(newLabels: number): Promise<PayloadOf<typeof DatasetSnapshotted>> {
  turn += 1;
  const datasetId = `ds-${turn}-${process.pid}`;
  const picture = await storePicture(`picture of ${datasetId}`);
  const item = {
    sampleId: picture.digest.slice(7),
    picture,
    label: { digest: picture.digest, boxes: [{ classId: 0, cx: 0.5, cy: 0.5, w: 0.1, h: 0.1 }] },
    split: 'holdout',
    origin: 'collected',
    slice: 'night',
    nodeId: 'cam-1',
    capturedAt: null,
  };
  const manifest = jsonBytes({ datasetId, version: turn, parent: null, classes: ['helmet', 'head'], items: [item] });
  const ref = await store.put({ bucket: 'datasets', key: contentKey('snapshots', digestOf(manifest), 'json') }, manifest);
  const counts = { items: 1, train: 0, holdout: 1, newLabels, newPerClass: {}, perSlice: {} };
  const payload = { datasetId, version: turn, parent: null, manifest: ref, classes: ['helmet', 'head'], counts, reason: 'test' };
  await bus.publish(DatasetSnapshotted, payload, { id: `${datasetId}-snapshotted` });
  return payload;
}

async function eventsOf<C extends EventContract>(contract: C, runId: string): Promise<PayloadOf<C>[]> {
  const found: PayloadOf<C>[] = [];
  for await (const each of bus.history('LOOP')) {
    if (each.contract.type === contract.type && (each.payload as { runId?: string }).runId === runId)
      found.push(each.payload as PayloadOf<C>);
  }
  return found;
}

async function causeOf(contract: EventContract, runId: string): Promise<string | undefined> {
  for await (const each of bus.history('LOOP')) {
    if (each.contract.type === contract.type && (each.payload as { runId?: string }).runId === runId) return each.context.causationId;
  }
  return undefined;
}

async function only<C extends EventContract>(contract: C, runId: string): Promise<PayloadOf<C>> {
  return eventually(
    async () => {
      const found = await eventsOf(contract, runId);
      expect(found).toHaveLength(1);
      return found[0] as PayloadOf<C>;
    },
    { deadlineMs: 15_000 },
  );
}

beforeAll(async () => {
  engines = await testEngines({ store: true });
  bus = await connectBus({
    service: 'trainer-spec',
    url: engines.environment.NATS_URL ?? '',
    creds: { path: engines.environment.NATS_CREDS ?? '' },
  });
  store = storeFromConfig(readConfig('spec', StoreConfig, { ...engines.environment }));
  fixture = join(engines.dataDir, 'project');
  await mkdir(fixture, { recursive: true });
  await setFixture('valohai.yaml', PROJECT.replaceAll('FIXTURE_FOLDER', fixture));
  await setFixture('model.json', JSON.stringify(card));
  await startTrainer();
}, 120_000);

afterAll(async () => {
  await service?.stop();
  await bus?.drain();
  await engines?.stop();
});

beforeEach(() => setFixture('evaluation.json', JSON.stringify(evaluation(0.5, null))));

async function withSwitch(name: 'hang' | 'fail' | 'no-model', work: () => Promise<void>): Promise<void> {
  const { rm } = await import('node:fs/promises');
  await setFixture(name, '');
  try {
    await work();
  } finally {
    await rm(join(fixture, name), { force: true });
  }
}

describe('the trainer', () => {
  it('runs the pipeline when enough labels are new, and hands the model on', async () => {
    const { datasetId, manifest } = await snapshot(10);
    const completed = await only(RunCompleted, `run-${datasetId}`);
    expect(completed).toMatchObject({
      datasetId,
      datasetDigest: manifest.digest,
      card: { name: 'hardhat', classes: ['helmet', 'head'] },
      gate: { verdict: 'passed' },
    });
    expect(completed.model.digest).toBe(manifest.digest);
    expect(completed.goldenPictures).toHaveLength(1);
    expect(await only(RunStarted, `run-${datasetId}`)).toMatchObject({
      trigger: { kind: 'new-labels', reason: '10 new labels, 10 start a run' },
    });
    await expect(causeOf(RunCompleted, `run-${datasetId}`)).resolves.toBe(`run-${datasetId}-started`);
    await expect(causeOf(RunStarted, `run-${datasetId}`)).resolves.toBe(`${datasetId}-snapshotted`);
  });

  it('never starts a second run for one snapshot, however often it hears of it', async () => {
    const seen = await snapshot(12);
    await only(RunCompleted, `run-${seen.datasetId}`);
    await bus.publish(DatasetSnapshotted, seen, { id: `${seen.datasetId}-again` });
    const { runId } = await snapshot(15).then(({ datasetId }) => ({ runId: `run-${datasetId}` }));
    await only(RunCompleted, runId);
    expect(await eventsOf(RunStarted, `run-${seen.datasetId}`)).toHaveLength(1);
    expect(await bus.ask(AskStartRun, { kind: 'train', datasetId: seen.datasetId, reason: 'again' })).toEqual({
      runId: `run-${seen.datasetId}`,
    });
    expect(await eventsOf(RunStarted, `run-${seen.datasetId}`)).toHaveLength(1);
  });

  it('does not train on too few labels, but does by hand', async () => {
    const { datasetId } = await snapshot(3);
    const { runId } = await eventually(() => bus.ask(AskStartRun, { kind: 'train', datasetId, reason: 'curious' }), { deadlineMs: 10_000 });
    expect(await only(RunStarted, runId)).toMatchObject({ trigger: { kind: 'manual', reason: 'curious' } });
    await only(RunCompleted, runId);
  });

  it('refuses a candidate with numbers when the gate says no', async () => {
    await setFixture('evaluation.json', JSON.stringify(evaluation(0.4, 0.6)));
    const { datasetId } = await snapshot(10);
    expect((await only(RunJudged, `run-${datasetId}`)).gate).toMatchObject({
      verdict: 'refused',
      reasons: expect.arrayContaining([expect.stringContaining('night: 0.400 against 0.600')]),
    });
    expect(await only(RunEnded, `run-${datasetId}`)).toMatchObject({ outcome: 'refused' });
    expect(await eventsOf(RunCompleted, `run-${datasetId}`)).toEqual([]);
  });

  it('says what a step said when it fails', async () => {
    await withSwitch('fail', async () => {
      const { datasetId } = await snapshot(10);
      const ended = await only(RunEnded, `run-${datasetId}`);
      expect(ended).toMatchObject({ outcome: 'failed', step: 'train' });
      expect(ended.reason).toContain('exit status 3: no memory left on the device');
      await expect(bus.ask(AskStartRun, { kind: 'train', datasetId, reason: 'again' })).rejects.toMatchObject({
        code: 'already-trained',
        message: expect.stringContaining('ended as failed'),
      });
    });
  });

  it('says what is missing when a job writes no model', async () => {
    await withSwitch('no-model', async () => {
      const { datasetId } = await snapshot(10);
      expect((await only(RunEnded, `run-${datasetId}`)).reason).toContain('model.onnx');
    });
  });

  it('goes on with the step that was under way when the service stops, and completes once', async () => {
    let runId = '';
    await withSwitch('hang', async () => {
      runId = `run-${(await snapshot(10)).datasetId}`;
      await eventually(async () => expect((await bus.ask(AskRuns, {})).runs[0]).toMatchObject({ runId, step: 'train' }), {
        deadlineMs: 20_000,
      });
      await service?.stop();
    });
    await startTrainer();
    await only(RunCompleted, runId);
    expect((await bus.ask(AskRuns, {})).runs[0]).toMatchObject({ runId, status: 'completed' });
  });

  it('goes on with it however often it is restarted', async () => {
    let runId = '';
    await withSwitch('hang', async () => {
      runId = `run-${(await snapshot(10)).datasetId}`;
      for (let restart = 0; restart <= CRASHES_MAX; restart++) {
        await eventually(
          async () => expect(await eventsOf(RunStepStarted, runId)).toContainEqual({ runId, step: 'train', attempt: restart + 1 }),
          {
            deadlineMs: 20_000,
          },
        );
        await service?.stop();
        await startTrainer();
      }
      await service?.stop();
    });
    await startTrainer();
    await only(RunCompleted, runId);
  }, 120_000);

  it('stops a run that is cancelled, and frees the trainer for the next', async () => {
    await withSwitch('hang', async () => {
      const runId = `run-${(await snapshot(10)).datasetId}`;
      await eventually(async () => expect((await bus.ask(AskRuns, {})).runs[0]).toMatchObject({ runId, step: 'train' }), {
        deadlineMs: 20_000,
      });
      expect(await bus.ask(AskCancelRun, { runId })).toEqual({ cancelled: true });
      expect(await only(RunEnded, runId)).toMatchObject({ outcome: 'cancelled' });
      expect(await bus.ask(AskCancelRun, { runId })).toEqual({ cancelled: false });
    });
    await only(RunCompleted, `run-${(await snapshot(10)).datasetId}`);
  });

  it('imports a model that exists, the same way', async () => {
    const bytes = Buffer.from('weights');
    const model = await store.put({ bucket: 'runs', key: contentKey('imported', digestOf(bytes), 'onnx') }, bytes);
    const asked = {
      kind: 'import' as const,
      model,
      card: { name: 'hardhat', ...card, input: { width: 64, height: 64, range: '0..1' as const, order: 'RGB' as const } },
      goldenPictures: [await storePicture('golden')],
      reason: 'brought along',
    };
    const { runId } = await bus.ask(AskStartRun, asked);
    expect(await only(RunCompleted, runId)).toMatchObject({ model: { digest: model.digest }, gate: null, datasetId: null });
    expect(await bus.ask(AskStartRun, asked)).toEqual({ runId });
    await expect(bus.ask(AskStartRun, { ...asked, card: { ...asked.card, name: 'other' } })).rejects.toMatchObject({ code: 'wrong-model' });
  });
});

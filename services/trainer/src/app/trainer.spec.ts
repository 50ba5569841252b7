import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AskStartRun, ObjectRef, PayloadOf } from '@edgeloop/contracts';
import { createLogger } from '@edgeloop/runtime';
import type { ModelLine } from '../domain/model-line.ts';
import { evolve } from '../domain/run.ts';
import type { Run, RunStatus } from '../domain/run.ts';
import { MemoryDocuments } from '@edgeloop/testkit';
import { IMPORT_ATTEMPTS_MAX, Trainer } from './trainer.ts';

const model: ObjectRef = { bucket: 'runs', key: 'm', digest: `sha256:${'ab'.repeat(32)}`, bytes: 1 };
const manifest: ObjectRef = { ...model, key: 'snapshot' };
const cause = { id: 'asked', correlationId: 'turn-1', traceparent: undefined };
const IMPORT: Extract<PayloadOf<typeof AskStartRun>, { kind: 'import' }> = {
  kind: 'import',
  model,
  card: {
    name: 'hardhat',
    classes: ['helmet'],
    input: { width: 64, height: 64, range: '0..1', order: 'RGB' },
    thresholds: [0.4],
    nmsIou: 0.5,
  },
  goldenPictures: [model],
  reason: 'brought along',
};

let runs: MemoryDocuments<Run>;
let lines: MemoryDocuments<ModelLine>;
let trainer: Trainer;

beforeEach(() => {
  runs = new MemoryDocuments();
  lines = new MemoryDocuments();
  const settings = {
    modelName: 'hardhat',
    rule: { newLabels: 100, newLabelsOfClass: 0 },
    pipelines: { retrain: 'retrain', firstModel: 'first-model', import: 'import-model' },
    runTimeoutMs: 1_000,
  };
  trainer = new Trainer({ runs, lines }, settings, { now: () => 0 }, createLogger('spec', 'silent'));
});

async function snapshot(datasetId: string, newLabels: number): Promise<void> {
  const counts = { items: 1, train: 1, holdout: 0, newLabels, newPerClass: {}, perSlice: {} };
  await trainer.onSnapshot({ datasetId, version: 1, parent: null, manifest, classes: ['helmet'], counts, reason: 'spec' }, cause);
}

async function endAs(runId: string, status: Exclude<RunStatus, 'running'>): Promise<void> {
  const reason = status === 'completed' ? null : 'no memory left';
  await runs.update(runId, (run) => ({ state: evolve(run as Run, { type: 'ended', status, at: 1, reason }) }));
}

const ENDS_WITHOUT_A_MODEL = ['failed', 'cancelled', 'refused', 'timed-out'] as const;

describe('asking for a run on a dataset', () => {
  const asked = { kind: 'train' as const, datasetId: 'ds-1', reason: 'curious' };

  it.each(['running', 'completed'] as const)('again while it is %s gives that very run', async (status) => {
    await snapshot('ds-1', 3);
    const first = await trainer.start(asked, cause);
    if (status === 'completed') await endAs(first.runId, status);
    expect(await trainer.start(asked, cause)).toEqual(first);
    expect(await runs.keys()).toEqual(['run-ds-1']);
  });

  it('that a snapshot has started gives that very run', async () => {
    await snapshot('ds-1', 100);
    expect(await trainer.start(asked, cause)).toEqual({ runId: 'run-ds-1' });
    expect((await runs.load('run-ds-1'))?.state.trigger.kind).toBe('new-labels');
  });

  it.each(ENDS_WITHOUT_A_MODEL)('that ended as %s is refused, with how it ended', async (status) => {
    await snapshot('ds-1', 3);
    await endAs((await trainer.start(asked, cause)).runId, status);
    await expect(trainer.start(asked, cause)).rejects.toMatchObject({
      code: 'already-trained',
      message: expect.stringContaining(`run-ds-1, which ended as ${status} (no memory left)`),
    });
  });
});

describe('importing a model', () => {
  it.each(['running', 'completed'] as const)('again while its import is %s gives that very run', async (status) => {
    const first = await trainer.start(IMPORT, cause);
    if (status === 'completed') await endAs(first.runId, status);
    expect(await trainer.start(IMPORT, cause)).toEqual(first);
  });

  it.each(ENDS_WITHOUT_A_MODEL)(
    'anew after an import that ended as %s begins a run of its own, with a version of its own',
    async (status) => {
      const first = await trainer.start(IMPORT, cause);
      await endAs(first.runId, status);
      const second = await trainer.start(IMPORT, cause);
      expect(second.runId).toBe(`${first.runId}-2`);
      expect((await runs.load(second.runId))?.state).toMatchObject({ status: 'running', model: { version: 'v2' } });
      expect(await trainer.start(IMPORT, cause)).toEqual(second);
    },
  );

  it('that failed again and again is refused at last', async () => {
    for (let attempt = 0; attempt < IMPORT_ATTEMPTS_MAX; attempt++) await endAs((await trainer.start(IMPORT, cause)).runId, 'failed');
    await expect(trainer.start(IMPORT, cause)).rejects.toMatchObject({ code: 'import-failed' });
  });
});

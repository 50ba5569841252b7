import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ObjectRef } from '@edgeloop/contracts';
import { createLogger } from '@edgeloop/runtime';
import { ObjectNotFoundError, StoreForbiddenError, StoreUnavailableError } from '@edgeloop/store';
import { evolve } from '../domain/run.ts';
import type { Run, RunChange } from '../domain/run.ts';
import type { StepDefinition } from '../domain/valohai.ts';
import type { ExecutionRequest, ExecutionResult } from '../ports.ts';
import { MemoryDocuments } from '@edgeloop/testkit';
import { RunDriver } from './run-driver.ts';

const HOUR_MS = 3_600_000;
const at = { bucket: 'runs', key: 'x' };
const object: ObjectRef = { ...at, digest: `sha256:${'a'.repeat(64)}`, bytes: 1 };
const card = { name: 'hardhat', version: 'v2', classes: ['helmet'], input: { width: 64, height: 64, range: '0..1', order: 'RGB' } };
const scores = { map50: 0.5, perClass: {}, frames: 20, boxes: 60 };
const done: ExecutionResult = { outcome: 'done', outputs: [{ name: 'model.onnx', object }], metadata: {}, seconds: 1 };

const step = (name: string): StepDefinition => ({ name, command: [name], inputs: [], parameters: [], environmentVariables: [] });
const project = {
  steps: [step('train'), step('evaluate')],
  pipelines: [
    {
      name: 'retrain',
      nodes: [
        { name: 'train', step: 'train' },
        { name: 'evaluate', step: 'evaluate' },
      ],
      edges: [],
    },
  ],
};

/** What the parts around the driver do; each test replaces what its incident is about. */
class Parts {
  readonly runs = new MemoryDocuments<Run>();
  readonly executed: string[] = [];
  readonly cleaned: string[] = [];
  execute: (request: ExecutionRequest) => Promise<ExecutionResult> = () => Promise.resolve(done);
  evaluation = (): Promise<unknown> => Promise.resolve({ candidate: { overall: scores, slices: {} }, incumbent: null });
  card = (): Promise<unknown> => Promise.resolve(card);
  readonly signal = new AbortController();

  driver(): RunDriver {
    return new RunDriver(
      {
        bus: { publish: () => Promise.reject(new Error('no progress here')) },
        runs: this.runs,
        executor: {
          execute: (request) => {
            this.executed.push(request.node);
            return this.execute(request);
          },
          clean: async (runId) => void this.cleaned.push(runId),
        },
        outputs: { evaluation: () => this.evaluation() as never, card: () => this.card() as never },
        datasets: { files: () => Promise.reject(new Error('no dataset here')) },
        firstBase: () => Promise.resolve(null),
        loadProject: () => Promise.resolve(project),
        clock: { now: () => 0 },
        log: createLogger('spec', 'silent'),
      },
      {
        gate: { gainMin: 0, sliceFallMax: 1, sliceFramesMin: 0, classBoxesMin: 0, firstModelMin: 0.1 },
        parameters: {},
        stepTimeoutMs: HOUR_MS,
      },
    );
  }

  async apply(...changes: RunChange[]): Promise<void> {
    await this.runs.update('run-1', (run) => ({ state: changes.reduce(evolve, run ?? started()) }));
  }

  /** Every step until the run has ended or is somebody else's. */
  async drive(): Promise<Run> {
    const driver = this.driver();
    while (await driver.advance('run-1', 'me', this.signal.signal));
    return this.run();
  }

  async run(): Promise<Run> {
    return (await this.runs.load('run-1'))?.state as Run;
  }

  told(type: string): unknown[] {
    return this.runs.told.filter(({ contract }) => contract.type === type).map(({ payload }) => payload);
  }
}

function started(): Run {
  return {
    runId: 'run-1',
    pipeline: 'retrain',
    correlationId: 'turn-1',
    trigger: { kind: 'new-labels', reason: '100 new labels' },
    newLabels: 100,
    dataset: null,
    incumbent: null,
    model: { name: 'hardhat', version: 'v2' },
    imported: null,
    status: 'running',
    current: null,
    finished: [],
    gate: null,
    cancelAsked: false,
    startedAt: 0,
    deadlineAt: HOUR_MS,
    endedAt: null,
    reason: null,
    lease: null,
  };
}

const lease = (owner: string): RunChange => ({ type: 'leased', owner, until: 1_000 });

let parts: Parts;
beforeEach(async () => {
  parts = new Parts();
  await parts.apply(lease('me'));
});

describe('an outage', () => {
  it('of the store costs an attempt and is no crash', async () => {
    let tries = 0;
    parts.execute = () => (++tries === 1 ? Promise.reject(new StoreUnavailableError(at, 'ECONNREFUSED', 6)) : Promise.resolve(done));
    await parts.driver().advance('run-1', 'me', parts.signal.signal);
    expect((await parts.run()).current).toEqual({ node: 'train', attempt: 1, underWay: false, crashes: 0 });
    expect(await parts.drive()).toMatchObject({ status: 'completed' });
    expect(parts.executed).toEqual(['train', 'train', 'evaluate']);
  });

  it('of the bus when a step has finished does not make it run again', async () => {
    parts.execute = async () => {
      parts.runs.silentUpdates = parts.executed.length === 1 ? 2 : 0;
      return done;
    };
    expect(await parts.drive()).toMatchObject({ status: 'completed' });
    expect(parts.executed).toEqual(['train', 'evaluate']);
    expect(parts.told('run.step-started')).toHaveLength(2);
  });

  it('is not waited for by a trainer that stops', async () => {
    parts.execute = async () => {
      parts.runs.silentUpdates = 1_000;
      parts.signal.abort();
      return done;
    };
    await expect(parts.drive()).rejects.toMatchObject({ name: 'BusSilentError' });
  });
});

describe('an error that will not pass', () => {
  it.each([
    ['of a step', 'train', (bad: Parts, fail: () => Promise<never>) => void (bad.execute = fail), ['train']],
    ['of the gate', 'evaluate', (bad: Parts, fail: () => Promise<never>) => void (bad.evaluation = fail), ['train', 'evaluate']],
    ['of the end', 'evaluate', (bad: Parts, fail: () => Promise<never>) => void (bad.card = fail), ['train', 'evaluate']],
  ])('%s ends the run with its reason', async (_, node, spoil, executed) => {
    spoil(parts, () => Promise.reject(new ObjectNotFoundError(at)));
    expect(await parts.drive()).toMatchObject({ status: 'failed', reason: 'runs/x: there is no such object' });
    expect(parts.told('run.ended')).toEqual([{ runId: 'run-1', outcome: 'failed', step: node, reason: 'runs/x: there is no such object' }]);
    expect([parts.executed, parts.cleaned]).toEqual([executed, ['run-1']]);
  });

  it('is any that says so of itself, whatever its class', async () => {
    parts.execute = () => Promise.reject(new StoreForbiddenError(at, 'AccessDenied'));
    expect(await parts.drive()).toMatchObject({ status: 'failed', reason: expect.stringContaining('AccessDenied') });
    expect(parts.executed).toEqual(['train']);
  });
});

describe('a replica that fell silent and lost its run', () => {
  it('does not take the lease of the new holder away when it stops', async () => {
    await parts.apply({ type: 'released', owner: 'me' }, lease('other'), { type: 'began', node: 'train', attempt: 1 });
    await parts.driver().release('run-1', 'me');
    expect(await parts.run()).toMatchObject({ lease: { owner: 'other' }, current: { underWay: true } });
  });

  it('hands back what it still holds, and its stop is no crash', async () => {
    await parts.apply({ type: 'began', node: 'train', attempt: 1 });
    await parts.driver().release('run-1', 'me');
    expect(await parts.run()).toMatchObject({ lease: null, current: { underWay: false, crashes: 0 } });
  });

  it('does not end the run of the new holder, nor empty its folder', async () => {
    parts.execute = async () => {
      await parts.apply({ type: 'released', owner: 'me' }, lease('other'));
      return { outcome: 'failed', reason: 'exit status 1' };
    };
    expect(await parts.drive()).toMatchObject({ status: 'running', lease: { owner: 'other' } });
    expect([parts.cleaned, parts.told('run.ended')]).toEqual([[], []]);
  });

  it('does not begin a step that the new holder is to begin', async () => {
    const driver = parts.driver();
    const load = parts.runs.load.bind(parts.runs);
    parts.runs.load = async (key) => {
      const before = await load(key);
      parts.runs.load = load;
      await parts.apply({ type: 'released', owner: 'me' }, lease('other'));
      return before;
    };
    await driver.advance('run-1', 'me', parts.signal.signal);
    expect(parts.executed).toEqual([]);
  });
});

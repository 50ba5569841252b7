import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@edgeloop/runtime';
import type { ObjectRef } from '@edgeloop/contracts';
import { MemoryObjectStore, StoreForbiddenError, StoreUnavailableError } from '@edgeloop/store';
import type { ObjectAt, PutOptions, ReadLimits } from '@edgeloop/store';
import { eventually } from '@edgeloop/testkit';
import type { StepDefinition } from '../domain/valohai.ts';
import type { ExecutionRequest } from '../ports.ts';
import { LocalExecutor } from './local-executor.ts';

const HOUR_MS = 3_600_000;

/** A store that fails for a time, or for good. */
class TroubledStore extends MemoryObjectStore {
  failPuts = 0;
  failReads = 0;
  forbidden = false;
  failures = 0;

  override async put(at: ObjectAt, bytes: Uint8Array, options?: PutOptions): Promise<ObjectRef> {
    if (this.forbidden) throw new StoreForbiddenError(at, 'AccessDenied');
    if (this.failPuts > 0) {
      this.failPuts -= 1;
      this.#fail(at);
    }
    return super.put(at, bytes, options);
  }

  override async read(at: ObjectAt, limits?: ReadLimits): Promise<Uint8Array> {
    if (this.failReads > 0) {
      this.failReads -= 1;
      this.#fail(at);
    }
    return super.read(at, limits);
  }

  #fail(at: ObjectAt): never {
    this.failures += 1;
    throw new StoreUnavailableError(at, 'ECONNREFUSED', 6);
  }
}

let root: string;
let store: TroubledStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'edgeloop-executor-'));
  store = new TroubledStore();
  await mkdir(join(root, 'project'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

function executor(): LocalExecutor {
  return new LocalExecutor({
    root: join(root, 'runs'),
    project: join(root, 'project'),
    environment: { PATH: process.env['PATH'] ?? '', ROOT: root },
    store,
    log: createLogger('spec', 'silent'),
  });
}

function request(command: string, more: Partial<ExecutionRequest> = {}, step: Partial<StepDefinition> = {}): ExecutionRequest {
  return {
    runId: 'run-1',
    node: 'train',
    step: { name: 'train', command: [command], inputs: [], parameters: [], environmentVariables: [], ...step },
    command: `set -e\n${command}`,
    parameters: {},
    inputs: [],
    environment: {},
    timeLimitMs: HOUR_MS,
    timeLeftMs: HOUR_MS,
    signal: new AbortController().signal,
    onMetadata: () => undefined,
    ...more,
  };
}

async function contentOf(name: string): Promise<string> {
  return readFile(join(root, name), 'utf8');
}

describe('a step on this machine', () => {
  it('gives its outputs, its last metadata and its time', async () => {
    const result = await executor().execute(
      request(`echo '{"loss":0.5}'; echo '{"loss":0.25,"map":0.9}'; echo model > $VH_OUTPUTS_DIR/model.onnx`),
    );
    expect(result).toMatchObject({ outcome: 'done', metadata: { loss: 0.25, map: 0.9 }, outputs: [{ name: 'model.onnx' }] });
  });

  it('finds its parameters and its inputs described where Valohai describes them', async () => {
    const object = await store.put({ bucket: 'runs', key: 'd/x.tar' }, Buffer.from('frames'));
    await executor().execute(
      request(
        'cp $VH_CONFIG_DIR/*.json $ROOT/',
        { parameters: { epochs: 3, lr: 0.1, fast: true, layers: ['neck'] }, inputs: [{ input: 'dataset', name: 'x.tar', object }] },
        {
          inputs: [
            { name: 'dataset', optional: false, keepDirectories: false },
            { name: 'base', optional: true, keepDirectories: false },
          ],
        },
      ),
    );
    expect(JSON.parse(await contentOf('parameters.json'))).toEqual({ epochs: 3, lr: 0.1, fast: true, layers: ['neck'] });
    const path = join(root, 'runs', 'run-1', 'train', 'inputs', 'dataset', 'x.tar');
    expect(JSON.parse(await contentOf('inputs.json'))).toEqual({
      dataset: {
        input_id: 'run-1-train-dataset',
        files: [
          {
            name: 'x.tar',
            uri: 's3://runs/d/x.tar',
            path,
            size: 6,
            checksums: { sha256: object.digest.slice('sha256:'.length) },
            metadata: {},
            datum_id: null,
          },
        ],
      },
      base: { input_id: 'run-1-train-base', files: [] },
    });
    await expect(readFile(path, 'utf8')).resolves.toBe('frames');
  });

  it('is ended when it says nothing for longer than its no-output-timeout', async () => {
    const result = await executor().execute(request('echo begun; exec sleep 600', {}, { noOutputTimeoutSeconds: 1 }));
    expect(result).toEqual({ outcome: 'timed-out', reason: 'step train printed nothing for 1 s (its no-output-timeout)' });
  });

  it('is not ended while it goes on saying something', async () => {
    const words = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do printf .; sleep 0.25; done';
    await expect(executor().execute(request(words, {}, { noOutputTimeoutSeconds: 2 }))).resolves.toMatchObject({ outcome: 'done' });
  });

  it('is ended at its time limit, and at the end of what is left of its run', async () => {
    await expect(executor().execute(request('exec sleep 600', { timeLimitMs: 200 }))).resolves.toMatchObject({ outcome: 'timed-out' });
    await expect(executor().execute(request('exec sleep 600', { timeLeftMs: 200 }))).resolves.toMatchObject({ outcome: 'timed-out' });
  });

  it('says how it failed', async () => {
    await expect(executor().execute(request('echo no memory left >&2; exit 3'))).resolves.toEqual({
      outcome: 'failed',
      reason: 'step train ended with exit status 3: no memory left',
    });
  });
});

describe('an outage of the store', () => {
  const STEP = 'echo begun >> $ROOT/begun; echo \'{"map":0.9}\'; echo model > $VH_OUTPUTS_DIR/model.onnx';
  const begins = async (): Promise<number> => (await contentOf('begun')).trim().split('\n').length;

  it('does not make a step run again: its outputs are stored when the store is back', async () => {
    store.failPuts = 2;
    await expect(executor().execute(request(STEP))).resolves.toMatchObject({ outcome: 'done', outputs: [{ name: 'model.onnx' }] });
    expect([await begins(), store.failures]).toEqual([1, 2]);
  });

  it('does not keep a step from its inputs when the store is back', async () => {
    const object = await store.put({ bucket: 'runs', key: 'x' }, Buffer.from('frames'));
    store.failReads = 2;
    const inputs = [{ input: 'data', name: 'x', object }];
    await expect(executor().execute(request(`test -s $VH_INPUTS_DIR/data/x; ${STEP}`, { inputs }))).resolves.toMatchObject({
      outcome: 'done',
    });
    expect([await begins(), store.failures]).toEqual([1, 2]);
  });

  it('is waited for no longer than the run may take; the next trainer stores what was finished, with what it had printed', async () => {
    store.failPuts = 1_000;
    await expect(executor().execute(request(STEP, { timeLeftMs: 2_000 }))).rejects.toMatchObject({ name: 'StoreUnavailableError' });
    store.failPuts = 0;
    await expect(executor().execute(request(STEP))).resolves.toMatchObject({
      outcome: 'done',
      metadata: { map: 0.9 },
      outputs: [{ name: 'model.onnx' }],
    });
    expect(await begins()).toBe(1);
  });

  it('is not waited for when the store says never', async () => {
    store.forbidden = true;
    await expect(executor().execute(request(STEP))).rejects.toMatchObject({ name: 'StoreForbiddenError' });
  });

  it('is not waited for when the run is stopped', async () => {
    store.failPuts = 1_000;
    const stop = new AbortController();
    const stopped = executor().execute(request(STEP, { signal: stop.signal }));
    const waiting = expect(stopped).rejects.toBeDefined();
    await eventually(() => expect(store.failures).toBeGreaterThan(0), { deadlineMs: 20_000 });
    stop.abort();
    await waiting;
  });

  it('does not hand on the outputs of another command', async () => {
    await executor().execute(request(STEP));
    const other = await executor().execute(request('echo other > $VH_OUTPUTS_DIR/other.onnx'));
    expect(other).toMatchObject({ outputs: [{ name: 'other.onnx' }] });
  });
});

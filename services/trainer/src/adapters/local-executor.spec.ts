import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@edgeloop/runtime';
import { MemoryObjectStore } from '@edgeloop/store';
import type { StepDefinition } from '../domain/valohai.ts';
import type { ExecutionRequest } from '../ports.ts';
import { LocalExecutor } from './local-executor.ts';

const HOUR_MS = 3_600_000;

let root: string;
let store: MemoryObjectStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'edgeloop-executor-'));
  store = new MemoryObjectStore();
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

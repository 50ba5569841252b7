import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ObjectRef } from '@edgeloop/contracts';
import { MemoryObjectStore, hexOf } from '@edgeloop/store';
import { Workspace } from './workspace.ts';

let root: string;
let store: MemoryObjectStore;
let workspace: Workspace;
let model: ObjectRef;
const { signal } = new AbortController();
const patience = { now: () => 0, until: 0, signal, onFailure: () => undefined };
const facts = { fingerprint: 'f', metadata: { loss: 0.5 }, seconds: 3 };

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'edgeloop-workspace-'));
  store = new MemoryObjectStore();
  workspace = new Workspace(root, 'run-1', store);
  model = await store.put({ bucket: 'runs', key: 'model' }, Buffer.from('weights'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const kept = (object: ObjectRef): string => join(root, 'run-1', 'objects', hexOf(object.digest));
const inputOf = (node: string): string => join(workspace.folder(node, 'inputs'), 'model', 'model.onnx');

async function give(node: string): Promise<string> {
  await workspace.prepare(node);
  await workspace.fetchInputs(node, [{ input: 'model', name: 'model.onnx', object: model }], patience);
  return inputOf(node);
}

describe('the inputs of a step', () => {
  it('are its own: one that writes into them changes nothing that another step gets', async () => {
    await writeFile(await give('train'), 'spoilt');
    await expect(readFile(await give('evaluate'), 'utf8')).resolves.toBe('weights');
    await expect(readFile(kept(model), 'utf8')).resolves.toBe('weights');
  });

  it('are as they were when the step begins again', async () => {
    await writeFile(await give('train'), 'spoilt');
    await expect(readFile(await give('train'), 'utf8')).resolves.toBe('weights');
  });

  it('come from the store again where the kept bytes are not what their name says', async () => {
    await give('train');
    await rm(kept(model));
    await writeFile(kept(model), 'torn');
    await expect(readFile(await give('evaluate'), 'utf8')).resolves.toBe('weights');
  });

  it('may be the same object many times at once', async () => {
    await workspace.prepare('train');
    const inputs = Array.from({ length: 20 }, (_, index) => ({ input: 'model', name: `${index}.onnx`, object: model }));
    await workspace.fetchInputs('train', inputs, patience);
    await expect(readdir(join(workspace.folder('train', 'inputs'), 'model'))).resolves.toHaveLength(20);
    await expect(readdir(join(root, 'run-1', 'objects'))).resolves.toEqual([hexOf(model.digest)]);
  });

  it('are kept read-only', async () => {
    await give('train');
    expect((await stat(kept(model))).mode & 0o777).toBe(0o444);
  });
});

describe('the outputs of a step', () => {
  it('are stored, and kept as bytes of their own', async () => {
    await workspace.prepare('train');
    const file = join(workspace.folder('train', 'outputs'), 'model.onnx');
    await writeFile(file, 'better weights');
    const { files } = await workspace.finish('train', facts);
    const [output] = await workspace.storeOutputs('train', files, patience);
    expect(output).toMatchObject({ name: 'model.onnx', object: { bucket: 'runs', bytes: 14 } });
    const [ours, theirs] = [await stat(kept(output?.object as ObjectRef)), await stat(file)];
    expect(ours.ino).not.toBe(theirs.ino);
    expect(ours.mode & 0o777).toBe(0o444);
    await writeFile(file, 'changed later');
    await expect(readFile(kept(output?.object as ObjectRef), 'utf8')).resolves.toBe('better weights');
  });

  it('of an attempt that broke off are not those of the next', async () => {
    await workspace.prepare('train');
    await writeFile(join(workspace.folder('train', 'outputs'), 'half.onnx'), 'half');
    await workspace.prepare('train');
    await expect(workspace.finish('train', facts)).resolves.toMatchObject({ files: {} });
  });
});

describe('the marker of a finished execution', () => {
  async function finished(): Promise<string> {
    await workspace.prepare('train');
    const file = join(workspace.folder('train', 'outputs'), 'model.onnx');
    await writeFile(file, 'better weights');
    await workspace.finish('train', facts);
    return file;
  }

  it('is found by the next who asks for the same execution, with all that it came to', async () => {
    await finished();
    const { fingerprint, ...rest } = facts;
    const next = new Workspace(root, 'run-1', store);
    await expect(next.finished('train', fingerprint)).resolves.toMatchObject({ ...rest, files: { 'model.onnx': expect.any(String) } });
  });

  it('is not taken for that of another execution', async () => {
    await finished();
    await expect(workspace.finished('train', 'another')).resolves.toBeUndefined();
  });

  it.each([
    ['changed', (file: string) => writeFile(file, '')],
    ['lost', (file: string) => rm(file)],
    ['added to', (file: string) => writeFile(`${file}.more`, 'x')],
  ])('does not count when its outputs were %s', async (_, change) => {
    await change(await finished());
    await expect(workspace.finished('train', facts.fingerprint)).resolves.toBeUndefined();
  });

  it('is gone when the execution begins again', async () => {
    await finished();
    await workspace.prepare('train');
    await expect(workspace.finished('train', facts.fingerprint)).resolves.toBeUndefined();
  });
});

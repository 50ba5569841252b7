import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { MemoryObjectStore } from '@edgeloop/store';
import { storeBaseModel } from './base-model.ts';

const store = new MemoryObjectStore();

describe('the weights of a first model', () => {
  it('are stored under their digest, once', async () => {
    const file = fileURLToPath(import.meta.url);
    const first = await storeBaseModel(store, file);
    expect(first?.key).toBe(`bases/${first?.digest.slice('sha256:'.length)}.onnx`);
    await expect(storeBaseModel(store, file)).resolves.toEqual(first);
  });

  it('are none where none are configured', async () => {
    await expect(storeBaseModel(store, undefined)).resolves.toBeNull();
  });

  it('that are not there end the run, with what to do', async () => {
    await expect(storeBaseModel(store, '/nowhere/base.onnx')).rejects.toMatchObject({
      retryable: false,
      message: expect.stringContaining('/nowhere/base.onnx cannot be read: set TRAINER_BASE_MODEL'),
    });
  });
});

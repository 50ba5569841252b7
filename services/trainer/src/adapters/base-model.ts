import { readFile } from 'node:fs/promises';
import type { ObjectRef } from '@edgeloop/contracts';
import { RUNS_BUCKET, contentKey, digestOf } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';

/** The weights that a first model is to start from are not where they were said to be. */
export class NoBaseModelError extends Error {
  override readonly name = 'NoBaseModelError';
  readonly retryable = false;
  readonly path: string;
  constructor(path: string, options?: ErrorOptions) {
    super(`${path} cannot be read: set TRAINER_BASE_MODEL to an ONNX file, or unset it to let the train step choose`, options);
    this.path = path;
  }
}

/** Stores the configured weights under their digest; null where none are configured. @throws NoBaseModelError */
export async function storeBaseModel(store: ObjectStore, path: string | undefined): Promise<ObjectRef | null> {
  if (path === undefined) return null;
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new NoBaseModelError(path, { cause });
  });
  return store.put({ bucket: RUNS_BUCKET, key: contentKey('bases', digestOf(bytes), 'onnx') }, bytes);
}

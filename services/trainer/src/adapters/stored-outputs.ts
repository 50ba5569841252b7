import { DatasetSnapshot, Evaluation, ModelCard } from '@edgeloop/contracts';
import type { DatasetItem, ObjectRef } from '@edgeloop/contracts';
import { hexOf, readVerified } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';
import type { z } from 'zod';
import type { OutputFile, PlacedFile } from '../domain/run.ts';
import { InvalidOutputError } from '../ports.ts';
import type { Datasets, RunOutputs } from '../ports.ts';

/** Pictures handed to the packager; more make a package heavier, not safer. */
export const GOLDEN_PICTURES_MAX = 4;

async function readJson<T>(store: ObjectStore, file: string, object: ObjectRef, schema: z.ZodType<T>): Promise<T> {
  const text = Buffer.from(await readVerified(store, object)).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidOutputError(file, 'is not JSON', { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw new InvalidOutputError(file, parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
  return parsed.data;
}

function outputNamed(outputs: readonly OutputFile[], name: string): ObjectRef {
  const found = outputs.find((output) => output.name === name);
  if (!found)
    throw new InvalidOutputError(
      name,
      `the step left no such file (it left ${outputs.map((output) => output.name).join(', ') || 'nothing'})`,
    );
  return found.object;
}

export class StoredOutputs implements RunOutputs {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  evaluation(outputs: readonly OutputFile[]): Promise<Evaluation> {
    return readJson(this.#store, 'evaluation.json', outputNamed(outputs, 'evaluation.json'), Evaluation);
  }

  async card(outputs: readonly OutputFile[], model: { name: string; version: string }): Promise<ModelCard> {
    const card = await readJson(
      this.#store,
      'model.json',
      outputNamed(outputs, 'model.json'),
      ModelCard.omit({ name: true, version: true }),
    );
    return ModelCard.parse({ ...card, ...model });
  }
}

/** Holdout pictures with boxes first (never trained on), then any with boxes, then any; spread over slices. */
export function goldenPicturesOf(items: readonly DatasetItem[]): readonly ObjectRef[] {
  const rank = (item: DatasetItem): number => (item.label.boxes.length > 0 ? 0 : 2) + (item.split === 'holdout' ? 0 : 1);
  const chosen: DatasetItem[] = [];
  const ranked = items.toSorted((left, right) => rank(left) - rank(right));
  for (const slice of new Set(items.map((item) => item.slice))) {
    const first = ranked.find((item) => item.slice === slice);
    if (first) chosen.push(first);
  }
  for (const item of ranked) if (!chosen.includes(item)) chosen.push(item);
  return chosen.slice(0, GOLDEN_PICTURES_MAX).map((item) => item.picture);
}

export class StoredDatasets implements Datasets {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async files(manifest: ObjectRef): Promise<{ pictures: readonly PlacedFile[]; goldenPictures: readonly ObjectRef[] }> {
    const snapshot = await readJson(this.#store, 'snapshot.json', manifest, DatasetSnapshot);
    const pictures = snapshot.items.map((item) => ({ input: 'samples', name: `${hexOf(item.picture.digest)}.jpg`, object: item.picture }));
    return { pictures, goldenPictures: goldenPicturesOf(snapshot.items) };
  }
}

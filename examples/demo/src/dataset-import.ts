import { readFile } from 'node:fs/promises';
import type { Bus } from '@edgeloop/bus';
import { AskImportDataset } from '@edgeloop/contracts';
import type { ObjectRef } from '@edgeloop/contracts';
import { DATASETS_BUCKET, contentKey, digestOf, jsonBytes } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';
import { decodePicture, encodeJpeg, pictureFormat } from '@edgeloop/vision';
import { askPatiently } from './turn/poll.ts';
import type { LabelledPhoto } from './world/photo-folder.ts';

const UPLOADS_AT_ONCE = 8;
const JPEG_QUALITY = 95;
/** Of one try; the same list again is the same import. */
const IMPORT_ASK_MS = 60_000;
const IMPORT_LIMIT_MS = 180_000;

export async function storePicture(store: ObjectStore, bytes: Uint8Array): Promise<ObjectRef> {
  return store.put({ bucket: DATASETS_BUCKET, key: contentKey('pictures', digestOf(bytes), 'jpg') }, bytes, { contentType: 'image/jpeg' });
}

async function jpegOf(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path);
  return pictureFormat(bytes) === 'jpeg' ? bytes : encodeJpeg(await decodePicture(bytes), JPEG_QUALITY);
}

export interface ImportedDataset {
  readonly datasetId: string;
  readonly pictures: readonly ObjectRef[];
}

/** Hands a folder of labelled photos to the labeling bridge, the way any user's program would. */
export async function importDataset(
  parts: { bus: Bus; store: ObjectStore; signal: AbortSignal },
  dataset: { photos: readonly LabelledPhoto[]; classes: readonly string[] },
  onProgress: (done: number, total: number) => void,
): Promise<ImportedDataset> {
  const { photos, classes } = dataset;
  const items: { picture: ObjectRef; boxes: LabelledPhoto['boxes']; slice: string }[] = [];
  const queue = photos.entries();
  await Promise.all(
    Array.from({ length: UPLOADS_AT_ONCE }, async () => {
      for (const [index, photo] of queue) {
        items[index] = { picture: await storePicture(parts.store, await jpegOf(photo.path)), boxes: photo.boxes, slice: 'day' };
        onProgress(items.filter(Boolean).length, photos.length);
      }
    }),
  );
  const list = jsonBytes({ classes, items });
  const ref = await parts.store.put({ bucket: DATASETS_BUCKET, key: contentKey('imports', digestOf(list), 'json') }, list);
  const question = { list: ref, reason: 'what was labelled before the first turn' };
  const { datasetId } = await askPatiently(
    { what: 'the labeling bridge to take the dataset', limitMs: IMPORT_LIMIT_MS, signal: parts.signal },
    () => parts.bus.ask(AskImportDataset, question, { timeoutMs: IMPORT_ASK_MS }),
  );
  return { datasetId, pictures: items.map((item) => item.picture) };
}

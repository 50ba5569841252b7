import { readFile } from 'node:fs/promises';
import type { AskImportDataset, ObjectRef, PayloadOf } from '@edgeloop/contracts';
import { DATASETS_BUCKET, contentKey, digestOf, jsonBytes } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';
import { decodePicture, encodeJpeg, pictureFormat } from '@edgeloop/vision';
import { UsageError } from '../errors.ts';
import type { LabelledPhoto } from './photo-folder.ts';

const UPLOADS_AT_ONCE = 8;
const JPEG_QUALITY = 95;

export type ImportQuestion = PayloadOf<typeof AskImportDataset>;

export interface DatasetImportParts {
  readonly store: ObjectStore;
  /** Hands the list to the labeling bridge, as patiently as the caller likes: the same list again is the same import. */
  readonly ask: (question: ImportQuestion) => Promise<{ readonly datasetId: string; readonly version: number }>;
  readonly onUploaded?: (done: number, total: number) => void;
}

export interface DatasetToImport {
  readonly photos: readonly LabelledPhoto[];
  readonly classes: readonly string[];
  /** Condition that the photos were taken in, for scores per slice: `day`, `night`. */
  readonly slice: string;
  readonly reason: string;
}

export interface ImportedDataset {
  readonly datasetId: string;
  readonly version: number;
  /** In the order of the photos. */
  readonly pictures: readonly ObjectRef[];
}

async function storePicture(store: ObjectStore, bytes: Uint8Array): Promise<ObjectRef> {
  return store.put({ bucket: DATASETS_BUCKET, key: contentKey('pictures', digestOf(bytes), 'jpg') }, bytes, { contentType: 'image/jpeg' });
}

async function jpegOf(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path);
  return pictureFormat(bytes) === 'jpeg' ? bytes : encodeJpeg(await decodePicture(bytes), JPEG_QUALITY);
}

async function upload({ store, onUploaded }: DatasetImportParts, photos: readonly LabelledPhoto[]): Promise<ObjectRef[]> {
  const pictures: ObjectRef[] = [];
  let done = 0;
  const queue = photos.entries();
  const uploader = async (): Promise<void> => {
    for (const [index, photo] of queue) {
      pictures[index] = await storePicture(store, await jpegOf(photo.path));
      done += 1;
      onUploaded?.(done, photos.length);
    }
  };
  await Promise.all(Array.from({ length: UPLOADS_AT_ONCE }, uploader));
  return pictures;
}

/** Copies of a picture may lie in a folder; copies with other boxes say two things at once. @throws UsageError */
function refuseContradictions(photos: readonly LabelledPhoto[], pictures: readonly ObjectRef[]): void {
  const known = new Map<string, LabelledPhoto>();
  for (const [index, photo] of photos.entries()) {
    const digest = pictures[index]?.digest ?? '';
    const copy = known.get(digest);
    if (copy !== undefined && JSON.stringify(copy.boxes) !== JSON.stringify(photo.boxes))
      throw new UsageError(`${copy.path} and ${photo.path} are the same picture with different boxes: remove one of them`);
    known.set(digest, copy ?? photo);
  }
}

/** Hands labelled photos to the labeling bridge, the way any user's program would. The same photos again are the same dataset. */
export async function importDataset(parts: DatasetImportParts, dataset: DatasetToImport): Promise<ImportedDataset> {
  const { photos, classes, slice, reason } = dataset;
  const pictures = await upload(parts, photos);
  refuseContradictions(photos, pictures);
  const items = photos.map(({ boxes }, index) => ({ picture: pictures[index], boxes, slice }));
  const list = jsonBytes({ classes, items });
  const ref = await parts.store.put({ bucket: DATASETS_BUCKET, key: contentKey('imports', digestOf(list), 'json') }, list);
  const { datasetId, version } = await parts.ask({ list: ref, reason });
  return { datasetId, version, pictures };
}

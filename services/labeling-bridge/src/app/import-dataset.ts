import { Refusal, type Cause } from '@edgeloop/bus';
import type { ObjectRef } from '@edgeloop/contracts';
import { DATASETS_BUCKET, digestOf, hexOf, ObjectStoreError, readVerified, type ObjectStore } from '@edgeloop/store';
import { IMPORTS_MAX, type Desk } from '../domain/desk.ts';
import { readImportList, type ImportedPicture, type ImportList } from './read-import-list.ts';
import { canonicalBoxes, labelText } from '../domain/label.ts';
import type { DeskStore, PictureReader } from '../ports.ts';
import type { FreezeDataset, FreshItem } from './freeze-dataset.ts';

export interface ImportDatasetParts {
  readonly store: ObjectStore;
  readonly desk: DeskStore;
  readonly freezer: FreezeDataset;
  readonly pictures: PictureReader;
}

/** Pictures read at once. */
const READERS = 8;
const REASON_CHARS_MAX = 500;

/** Takes what was labelled before: every picture is there, is what the list says, and decodes; else one clear refusal and no change. */
export class ImportDataset {
  readonly #parts: ImportDatasetParts;

  constructor(parts: ImportDatasetParts) {
    this.#parts = parts;
  }

  /** The same list again is the same import. @throws Refusal */
  async handle(asked: { list: ObjectRef; reason: string }, cause: Cause): Promise<{ datasetId: string; version: number }> {
    const { desk } = await this.#parts.desk.load();
    const earlier = desk.imports.find(({ digest }) => digest === asked.list.digest);
    if (earlier !== undefined) return { datasetId: earlier.datasetId, version: earlier.version };
    if (desk.imports.length >= IMPORTS_MAX)
      throw new Refusal('too-many-imports', `${IMPORTS_MAX} lists were imported; put the rest into one list`);
    const list = await this.#readList(asked.list, desk);
    const items = await this.#readPictures(list.items);
    const reason = `${asked.reason}${warningsOf(list)}`.slice(0, REASON_CHARS_MAX);
    const imported = { classes: list.classes, items, listDigest: asked.list.digest };
    const result = await this.#parts.freezer.freeze({ reason, imported, cause });
    if (!result.frozen) throw new Refusal(result.why, 'the import brought nothing');
    return { datasetId: result.snapshot.datasetId, version: result.snapshot.version };
  }

  async #readList(ref: ObjectRef, desk: Desk): Promise<ImportList> {
    if (ref.bucket !== DATASETS_BUCKET) throw new Refusal('wrong-bucket', `put the list into the bucket ${DATASETS_BUCKET}`);
    const bytes = await this.#read(ref, 'the list');
    const reading = readImportList(parsed(bytes), desk.classes);
    if (!reading.ok) throw new Refusal(reading.problem.code, reading.problem.say);
    return reading.list;
  }

  async #readPictures(items: readonly ImportedPicture[]): Promise<FreshItem[]> {
    const found: FreshItem[] = [];
    const queue = items.entries();
    const reader = async (): Promise<void> => {
      for (const [index, item] of queue) found[index] = await this.#readPicture(item, index);
    };
    await Promise.all(Array.from({ length: READERS }, reader));
    return found;
  }

  async #readPicture(item: ImportedPicture, index: number): Promise<FreshItem> {
    const name = `item ${index} (${item.picture.key})`;
    const bytes = await this.#read(item.picture, name);
    const dhash = await this.#parts.pictures.dhash(bytes).catch((failure: unknown) => {
      throw new Refusal(
        'unreadable-picture',
        `${name} is no picture that can be decoded (${wordsOf(failure)}): replace it or take it out of the list`,
      );
    });
    const sampleId = hexOf(item.picture.digest);
    const { slice } = item;
    const label = { digest: digestOf(labelText(item.boxes)), boxes: canonicalBoxes(item.boxes) };
    return {
      labelled: { sampleId, picture: item.picture, label, origin: 'imported', slice, nodeId: null, capturedAt: null },
      split: { sampleId, dhash, nodeId: null, capturedAtMs: null, origin: 'imported', slice },
    };
  }

  /** What lasts (not there, other bytes, too large) is the importer's to mend; what passes is thrown on. */
  async #read(ref: ObjectRef, name: string): Promise<Uint8Array> {
    try {
      return await readVerified(this.#parts.store, ref);
    } catch (failure) {
      if (!(failure instanceof ObjectStoreError) || failure.retryable) throw failure;
      throw new Refusal('unreadable-object', `${name}: ${failure.message}; upload it and name it with its digest and size`);
    }
  }
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
  } catch (failure) {
    throw new Refusal('unreadable-list', `the list is no JSON: ${wordsOf(failure)}`);
  }
}

/** One class can be learnt, but nothing tells it from anything else. */
function warningsOf({ classes }: ImportList): string {
  return classes.length === 1
    ? `; warning: only one class (${classes[0]}), so the model cannot learn what is not it but by empty space`
    : '';
}

function wordsOf(failure: unknown): string {
  return String((failure as { message?: unknown } | null)?.message ?? failure).split('\n')[0] ?? '';
}

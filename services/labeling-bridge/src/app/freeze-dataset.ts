import type { Cause } from '@edgeloop/bus';
import { DatasetSnapshot, type DatasetItem } from '@edgeloop/contracts';
import { isoOf, type Clock, type Logger } from '@edgeloop/runtime';
import { contentKey, DATASETS_BUCKET, digestOf, hexOf, jsonBytes, readVerified, type ObjectStore } from '@edgeloop/store';
import { z } from 'zod';
import { noteFrozen, type Desk, type FrozenSnapshot } from '../domain/desk.ts';
import { countSnapshot, mergeItems, sliceOfBrightness, withheldOf, type LabelledItem } from '../domain/snapshot.ts';
import { placeItems, type PlacedItem, type SplitItem, type SplitRules } from '../domain/split.ts';
import type { AnswerLedger, DeskStore, RecordedAnswer, Tasks } from '../ports.ts';

export interface FreezeDatasetParts {
  readonly store: ObjectStore;
  readonly desk: DeskStore;
  readonly tasks: Tasks;
  readonly answers: AnswerLedger;
  readonly clock: Clock;
  readonly rules: SplitRules;
  /** Mean luma below which a collected picture counts as night. */
  readonly nightBelow: number;
  /** Classes as long as no import has brought any. */
  readonly classes: readonly string[];
  readonly log: Logger;
}

/** A labelled picture with what the split looks at. */
export interface FreshItem {
  readonly labelled: LabelledItem;
  readonly split: SplitItem;
}

export interface FreezeOrder {
  readonly reason: string;
  /** Sets the classes, and adds what was labelled elsewhere. */
  readonly imported?: { readonly classes: readonly string[]; readonly items: readonly FreshItem[]; readonly listDigest: string };
  readonly cause?: Cause;
}

export type FreezeResult =
  { readonly frozen: true; readonly snapshot: FrozenSnapshot } | { readonly frozen: false; readonly why: 'nothing-new' | 'no-classes' };

/** Group, fingerprint and side of every item: kept beside the snapshot, so that nothing ever changes sides. */
const Placements = z.object({
  items: z.array(
    z.object({
      sampleId: z.string(),
      dhash: z.string(),
      nodeId: z.string().nullable(),
      capturedAtMs: z.number().nullable(),
      origin: z.enum(['imported', 'collected']),
      slice: z.string(),
      group: z.string(),
      split: z.enum(['train', 'holdout', 'withheld']),
    }),
  ),
});

const TASKS_READ_AT_ONCE = 64;
const CONFLICTS_MAX = 5;

interface Past {
  readonly items: readonly DatasetItem[];
  readonly placed: readonly PlacedItem[];
}

/**
 * Writes the next snapshot: objects first (content-addressed, so a crash leaves nothing but an object that nobody names), then the desk with
 * its announcement, by revision.
 */
export class FreezeDataset {
  readonly #parts: FreezeDatasetParts;

  constructor(parts: FreezeDatasetParts) {
    this.#parts = parts;
  }

  /** Starts again on the newest desk when somebody else changed it meanwhile. @throws RevisionConflictError when that goes on and on */
  async freeze(order: FreezeOrder): Promise<FreezeResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#freezeOnce(order);
      } catch (failure) {
        if ((failure as { name?: string }).name !== 'RevisionConflictError' || attempt >= CONFLICTS_MAX) throw failure;
      }
    }
  }

  async #freezeOnce(order: FreezeOrder): Promise<FreezeResult> {
    const { answers, desk: desks, log } = this.#parts;
    const { desk, revision } = await desks.load();
    const earlier = importedBefore(desk, order);
    if (earlier !== undefined) return { frozen: true, snapshot: earlier };
    await answers.catchUp();
    const recorded = answers.since(desk.answersThrough);
    const collected = await this.#freshItems(recorded);
    const classes = order.imported?.classes ?? (desk.classes.length > 0 ? desk.classes : this.#parts.classes);
    if (classes.length === 0) return { frozen: false, why: 'no-classes' };
    if (collected.length === 0 && order.imported === undefined) return { frozen: false, why: 'nothing-new' };
    const { frozen, announce } = await this.#write(desk, {
      collected,
      imported: order.imported?.items ?? [],
      classes,
      reason: order.reason,
    });
    const answersThrough = recorded.at(-1)?.sequence ?? desk.answersThrough;
    const after = noteFrozen(desk, frozen, { classes, answersThrough, imported: order.imported?.listDigest });
    await desks.saveFrozen({ desk: after, revision, announce, cause: order.cause });
    log.info({ datasetId: frozen.datasetId, version: frozen.version, ...announce.counts, reason: announce.reason }, 'dataset frozen');
    return { frozen: true, snapshot: frozen };
  }

  async #write(
    desk: Desk,
    add: { collected: readonly FreshItem[]; imported: readonly FreshItem[]; classes: readonly string[]; reason: string },
  ) {
    const latest = desk.snapshots[0];
    const past = await this.#past(latest);
    const fresh = [...add.imported, ...add.collected];
    const placed = placeItems(
      past.placed,
      fresh.map(({ split }) => split),
      this.#parts.rules,
    );
    const items = mergeItems(
      past.items,
      fresh.map(({ labelled }) => labelled),
      placed,
    );
    const allPlaced = [...past.placed, ...placed];
    const body = {
      version: (latest?.version ?? 0) + 1,
      parent: latest?.datasetId ?? null,
      classes: [...add.classes],
      items,
      withheld: withheldOf(allPlaced),
    };
    const datasetId = `ds-${hexOf(digestOf(jsonBytes(body))).slice(0, 16)}`;
    const snapshot: DatasetSnapshot = DatasetSnapshot.parse({ datasetId, ...body });
    const manifest = await this.#put('snapshots', snapshot);
    const placements = await this.#put('placements', { items: allPlaced });
    const counts = countSnapshot(
      items,
      add.classes,
      add.collected.map(({ labelled }) => labelled),
    );
    const frozen: FrozenSnapshot = { datasetId, version: body.version, manifest, placements, counts, createdAtMs: this.#parts.clock.now() };
    const announce = { datasetId, version: body.version, parent: body.parent, manifest, classes: add.classes, counts, reason: add.reason };
    return { frozen, announce };
  }

  async #past(latest: FrozenSnapshot | undefined): Promise<Past> {
    if (latest === undefined) return { items: [], placed: [] };
    const { store } = this.#parts;
    const [manifest, placements] = await Promise.all([readVerified(store, latest.manifest), readVerified(store, latest.placements)]);
    return { items: DatasetSnapshot.parse(parseJson(manifest)).items, placed: Placements.parse(parseJson(placements)).items };
  }

  #put(folder: string, value: unknown) {
    const bytes = jsonBytes(value);
    return this.#parts.store.put({ bucket: DATASETS_BUCKET, key: contentKey(folder, digestOf(bytes), 'json') }, bytes, {
      contentType: 'application/json',
    });
  }

  async #freshItems(recorded: readonly RecordedAnswer[]): Promise<FreshItem[]> {
    const labelled = recorded.filter(({ outcome }) => outcome === 'labeled');
    const items: FreshItem[] = [];
    for (let from = 0; from < labelled.length; from += TASKS_READ_AT_ONCE) {
      const batch = labelled.slice(from, from + TASKS_READ_AT_ONCE);
      const found = await Promise.all(batch.map((answer) => this.#freshItem(answer)));
      items.push(...found.filter((item) => item !== undefined));
    }
    return items;
  }

  async #freshItem(answer: RecordedAnswer): Promise<FreshItem | undefined> {
    const task = await this.#parts.tasks.find(answer.taskId);
    if (task === undefined) {
      this.#parts.log.error({ taskId: answer.taskId }, 'an answer without its task is left out of the dataset');
      return undefined;
    }
    const { sampleId, nodeId, capturedAtMs, dhash, picture } = task;
    const slice = sliceOfBrightness(task.brightness, this.#parts.nightBelow);
    const label = { digest: answer.labelDigest, boxes: answer.boxes };
    return {
      labelled: { sampleId, picture, label, origin: 'collected', slice, nodeId, capturedAt: isoOf(capturedAtMs) },
      split: { sampleId, dhash, nodeId, capturedAtMs, origin: 'collected', slice },
    };
  }
}

/** Another replica may have taken the same list while this one read its pictures. */
function importedBefore(desk: Desk, { imported }: FreezeOrder): FrozenSnapshot | undefined {
  const known = desk.imports.find(({ digest }) => digest === imported?.listDigest);
  return desk.snapshots.find(({ datasetId }) => datasetId === known?.datasetId);
}

function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
}

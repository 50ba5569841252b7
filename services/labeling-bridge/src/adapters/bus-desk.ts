import type { Cause, Documents } from '@edgeloop/bus';
import { DatasetSnapshotted, ObjectRef } from '@edgeloop/contracts';
import { z } from 'zod';
import { EMPTY_DESK, type Desk } from '../domain/desk.ts';
import type { DeskStore, FrozenAnnouncement } from '../ports.ts';

const count = z.int().nonnegative();

/** The one document of the `datasets` bucket. */
export const StoredDesk = z.object({
  classes: z.array(z.string()),
  answersThrough: count,
  snapshots: z.array(
    z.object({
      datasetId: z.string(),
      version: z.int().positive(),
      manifest: ObjectRef,
      placements: ObjectRef,
      counts: z.object({ items: count, train: count, holdout: count, newLabels: count }),
      createdAtMs: count,
    }),
  ),
  imports: z.array(z.object({ digest: z.string(), datasetId: z.string(), version: z.int().positive() })),
  campaigns: z.array(z.object({ campaignId: z.string(), closedWith: count.nullable() })),
});

const DESK_KEY = 'desk';

export class BusDesk implements DeskStore {
  readonly #documents: Documents<Desk>;

  constructor(documents: Documents<Desk>) {
    this.#documents = documents;
  }

  async load(): Promise<{ desk: Desk; revision: number }> {
    const document = await this.#documents.load(DESK_KEY);
    return document === undefined ? { desk: EMPTY_DESK, revision: 0 } : { desk: document.state, revision: document.revision };
  }

  async saveFrozen({
    desk,
    revision,
    announce,
    cause,
  }: {
    desk: Desk;
    revision: number;
    announce: FrozenAnnouncement;
    cause?: Cause;
  }): Promise<void> {
    const payload = { ...announce, classes: [...announce.classes] };
    const outputs = [{ contract: DatasetSnapshotted, payload, id: `dataset-${announce.datasetId}-snapshotted` }];
    await this.#documents.save(DESK_KEY, desk, { revision, outputs, cause });
  }

  async update(change: (desk: Desk) => Desk, cause?: Cause): Promise<void> {
    await this.#documents.update(
      DESK_KEY,
      (current) => {
        const before = current ?? EMPTY_DESK;
        const after = change(before);
        return after === before ? undefined : { state: after };
      },
      cause,
    );
  }
}

import type { Bus } from '@edgeloop/bus';
import { DatasetSnapshot } from '@edgeloop/contracts';
import type { DatasetSnapshotted, ObjectRef, PayloadOf } from '@edgeloop/contracts';
import { readVerified } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';

export type FrozenDataset = PayloadOf<typeof DatasetSnapshotted>;

/** The dataset that was frozen last; undefined where there is none. */
export async function newestDataset(bus: Bus): Promise<FrozenDataset | undefined> {
  let newest: FrozenDataset | undefined;
  for await (const { payload } of bus.history('LOOP', { subject: 'dataset.v1.*.snapshotted' })) {
    const dataset = payload as FrozenDataset;
    if (newest === undefined || dataset.version > newest.version) newest = dataset;
  }
  return newest;
}

/** Pictures of a dataset, those with something to be seen first: a golden answer of an empty picture proves little. */
export async function picturesOf(store: ObjectStore, dataset: FrozenDataset, countMax: number): Promise<ObjectRef[]> {
  const text = Buffer.from(await readVerified(store, dataset.manifest)).toString('utf8');
  const { items } = DatasetSnapshot.parse(JSON.parse(text));
  const shows = ({ label }: (typeof items)[number]): number => (label.boxes.length > 0 ? 0 : 1);
  return items
    .toSorted((left, right) => shows(left) - shows(right))
    .slice(0, countMax)
    .map(({ picture }) => picture);
}

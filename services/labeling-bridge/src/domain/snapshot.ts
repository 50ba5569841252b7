import type { DatasetItem, LabelBox, ObjectRef } from '@edgeloop/contracts';
import type { PlacedItem } from './split.ts';

/** A labelled picture on its way into a dataset. */
export interface LabelledItem {
  readonly sampleId: string;
  readonly picture: ObjectRef;
  readonly label: { readonly digest: string; readonly boxes: readonly LabelBox[] };
  readonly origin: 'imported' | 'collected';
  readonly slice: string;
  readonly nodeId: string | null;
  readonly capturedAt: string | null;
}

export interface SnapshotCounts {
  readonly items: number;
  readonly train: number;
  readonly holdout: number;
  readonly newLabels: number;
  readonly newPerClass: Record<string, number>;
  readonly perSlice: Record<string, { train: number; holdout: number }>;
}

/** Items of the snapshot before and those placed now, in the order of their ids; withheld ones are left out. */
export function mergeItems(
  before: readonly DatasetItem[],
  labelled: readonly LabelledItem[],
  placed: readonly PlacedItem[],
): DatasetItem[] {
  const splits = new Map(placed.map(({ sampleId, split }) => [sampleId, split]));
  const known = new Set(before.map(({ sampleId }) => sampleId));
  const added = labelled.flatMap((item): DatasetItem[] => {
    const split = splits.get(item.sampleId);
    if (split === undefined || split === 'withheld' || known.has(item.sampleId)) return [];
    known.add(item.sampleId);
    return [{ ...item, label: { digest: item.label.digest, boxes: [...item.label.boxes] }, split }];
  });
  return [...before, ...added].toSorted((a, b) => (a.sampleId < b.sampleId ? -1 : 1));
}

/** Ids of what is kept out of both sides, in order. */
export function withheldOf(placed: readonly PlacedItem[]): string[] {
  return placed.flatMap(({ sampleId, split }) => (split === 'withheld' ? [sampleId] : [])).toSorted();
}

/** `answers`: what people answered since the last snapshot. */
export function countSnapshot(items: readonly DatasetItem[], classes: readonly string[], answers: readonly LabelledItem[]): SnapshotCounts {
  const perSlice: Record<string, { train: number; holdout: number }> = {};
  for (const { slice, split } of items) (perSlice[slice] ??= { train: 0, holdout: 0 })[split] += 1;
  const newPerClass = Object.fromEntries(classes.map((name) => [name, 0]));
  for (const { classId } of answers.flatMap(({ label }) => label.boxes)) {
    const name = classes[classId];
    if (name !== undefined) newPerClass[name] = (newPerClass[name] ?? 0) + 1;
  }
  const train = items.filter(({ split }) => split === 'train').length;
  return { items: items.length, train, holdout: items.length - train, newLabels: answers.length, newPerClass, perSlice };
}

/** Day and night by mean luma: pictures darkened as deep night does stay below .21, 19 of 20 day photos are above .25. */
export function sliceOfBrightness(brightness: number, nightBelow: number): 'day' | 'night' {
  return brightness < nightBelow ? 'night' : 'day';
}

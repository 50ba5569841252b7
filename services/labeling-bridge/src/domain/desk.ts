import type { ObjectRef } from '@edgeloop/contracts';
import type { SnapshotCounts } from './snapshot.ts';

/** What the desk must remember of a frozen snapshot. */
export interface FrozenSnapshot {
  readonly datasetId: string;
  readonly version: number;
  readonly manifest: ObjectRef;
  /** The split's own memory: group and fingerprint of every item. */
  readonly placements: ObjectRef;
  readonly counts: Pick<SnapshotCounts, 'items' | 'train' | 'holdout' | 'newLabels'>;
  readonly createdAtMs: number;
}

export interface ImportedList {
  /** Digest of the list: the same list again is the same import. */
  readonly digest: string;
  readonly datasetId: string;
  readonly version: number;
}

export interface DeskCampaign {
  readonly campaignId: string;
  /** Null while it collects. */
  readonly closedWith: number | null;
}

/** The dataset as it grows: one aggregate, changed by revision. */
export interface Desk {
  readonly classes: readonly string[];
  /** Sequence of the last answer that a snapshot holds. */
  readonly answersThrough: number;
  /** Newest first. */
  readonly snapshots: readonly FrozenSnapshot[];
  readonly imports: readonly ImportedList[];
  /** Bounded campaigns, newest first. */
  readonly campaigns: readonly DeskCampaign[];
}

export const EMPTY_DESK: Desk = { classes: [], answersThrough: 0, snapshots: [], imports: [], campaigns: [] };

/** Older ones are in the event log and in the store. */
export const SNAPSHOTS_KEPT_MAX = 200;
/** Campaigns whose end a snapshot may still wait for, newest first. */
export const CAMPAIGNS_KEPT_MAX = 100;
/** Imported lists are part of every snapshot, so they are never forgotten: more are refused. */
export const IMPORTS_MAX = 500;

/** A campaign that is announced again (with more nodes) is the same campaign; one that has closed stays closed. */
export function noteStarted(desk: Desk, campaignId: string): Desk {
  if (desk.campaigns.some((campaign) => campaign.campaignId === campaignId)) return desk;
  return { ...desk, campaigns: [{ campaignId, closedWith: null }, ...desk.campaigns].slice(0, CAMPAIGNS_KEPT_MAX) };
}

export function noteClosed(desk: Desk, campaignId: string, accepted: number): Desk {
  const known = desk.campaigns.find((campaign) => campaign.campaignId === campaignId);
  if (known !== undefined && known.closedWith !== null) return desk;
  const others = desk.campaigns.filter((campaign) => campaign.campaignId !== campaignId);
  return { ...desk, campaigns: [{ campaignId, closedWith: accepted }, ...others].slice(0, CAMPAIGNS_KEPT_MAX) };
}

export function noteFrozen(
  desk: Desk,
  frozen: FrozenSnapshot,
  change: { classes: readonly string[]; answersThrough: number; imported?: string },
): Desk {
  const { datasetId, version } = frozen;
  const imports = change.imported === undefined ? desk.imports : [...desk.imports, { digest: change.imported, datasetId, version }];
  return {
    ...desk,
    imports,
    classes: change.classes,
    answersThrough: change.answersThrough,
    snapshots: [frozen, ...desk.snapshots].slice(0, SNAPSHOTS_KEPT_MAX),
  };
}

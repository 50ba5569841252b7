/** What one release saw on one node. */
export interface ReleaseTotals {
  readonly releaseId: string;
  readonly windows: number;
  readonly frames: number;
  readonly emptyFrames: number;
  readonly detections: number;
}

/** The same over all nodes. */
export interface ReleaseField extends ReleaseTotals {
  readonly nodes: number;
}

interface SeenWindow {
  readonly releaseId: string | null;
  readonly frames: number;
  readonly emptyFrames: number;
  readonly detections: number;
}

/** Releases that a node keeps totals of. */
const RELEASES_MAX = 4;

/** Adds a window to the totals of its release; a window without a release counts for none. */
export function withWindow(totals: readonly ReleaseTotals[], window: SeenWindow): readonly ReleaseTotals[] {
  const { releaseId, frames, emptyFrames, detections } = window;
  if (releaseId === null) return totals;
  const known = totals.find((each) => each.releaseId === releaseId) ?? nothingOf(releaseId);
  const sum = plus(known, { releaseId, windows: 1, frames, emptyFrames, detections });
  return [...totals.filter((each) => each.releaseId !== releaseId), sum].slice(-RELEASES_MAX);
}

/** Every release over the nodes that ran it, by name. */
export function overNodes(perNode: Iterable<readonly ReleaseTotals[]>): ReleaseField[] {
  const sums = new Map<string, ReleaseField>();
  for (const totals of perNode) {
    for (const each of totals) {
      const known = sums.get(each.releaseId) ?? { ...nothingOf(each.releaseId), nodes: 0 };
      sums.set(each.releaseId, { ...plus(known, each), nodes: known.nodes + 1 });
    }
  }
  return [...sums.values()].toSorted((one, other) => one.releaseId.localeCompare(other.releaseId));
}

function nothingOf(releaseId: string): ReleaseTotals {
  return { releaseId, windows: 0, frames: 0, emptyFrames: 0, detections: 0 };
}

function plus(one: ReleaseTotals, other: ReleaseTotals): ReleaseTotals {
  return {
    releaseId: one.releaseId,
    windows: one.windows + other.windows,
    frames: one.frames + other.frames,
    emptyFrames: one.emptyFrames + other.emptyFrames,
    detections: one.detections + other.detections,
  };
}

import type { ClassId } from './look.ts';

/** A truth box in pixels of the frame, x and y of its upper left corner. */
export interface TruthBox {
  readonly classId: ClassId;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** A head that was drawn: who owns its pixels, and how many it would show if nothing stood before it. */
export interface DrawnHead {
  readonly owner: number;
  readonly classId: ClassId;
  readonly pixelsWhole: number;
}

/** A head of which less than this share can be seen (hidden, or cut off by the border) is no truth. */
export const VISIBLE_SHARE_MIN = 0.3;
/** Smaller boxes than this, in px of either side, nobody would label. */
export const TRUTH_SIDE_MIN_PX = 5;

/** The boxes around what can be seen of each head. `owners`: for every pixel the head in front, 0 = nobody's. */
export function truthOf(heads: readonly DrawnHead[], owners: Uint8Array, width: number): TruthBox[] {
  const seen = extents(owners, width);
  return heads.flatMap(({ owner, classId, pixelsWhole }) => {
    const extent = seen.get(owner);
    if (!extent || extent.pixels < pixelsWhole * VISIBLE_SHARE_MIN) return [];
    const box = { classId, x: extent.left, y: extent.top, w: extent.right - extent.left + 1, h: extent.bottom - extent.top + 1 };
    return Math.min(box.w, box.h) >= TRUTH_SIDE_MIN_PX ? [box] : [];
  });
}

interface Extent {
  left: number;
  right: number;
  top: number;
  bottom: number;
  pixels: number;
}

function extents(owners: Uint8Array, width: number): Map<number, Extent> {
  const found = new Map<number, Extent>();
  for (let at = 0; at < owners.length; at += 1) {
    const owner = owners[at]!;
    if (owner === 0) continue;
    const x = at % width;
    const y = (at - x) / width;
    const extent = found.get(owner);
    if (!extent) found.set(owner, { left: x, right: x, top: y, bottom: y, pixels: 1 });
    else grow(extent, x, y);
  }
  return found;
}

function grow(extent: Extent, x: number, y: number): void {
  if (x < extent.left) extent.left = x;
  if (x > extent.right) extent.right = x;
  if (y > extent.bottom) extent.bottom = y;
  extent.pixels += 1;
}

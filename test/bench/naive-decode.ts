/** A box as most first versions hold it. */
interface NaiveBox {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly score: number;
  readonly classId: number;
}

/** Decode and suppression of `[rows, columns]` as one writes it first: an object per row, arrays rebuilt by filter. The reference side. */
export function naiveDecode(output: Float32Array, columns: number, thresholds: { score: number; iou: number }): NaiveBox[] {
  const boxes: NaiveBox[] = [];
  for (let at = 0; at < output.length; at += columns) {
    const row = Array.from(output.slice(at, at + columns));
    const [cx, cy, w, h, objectness] = row as [number, number, number, number, number];
    const scores = row.slice(5).map((value) => value * objectness);
    const score = Math.max(...scores);
    if (score >= thresholds.score) {
      boxes.push({ x1: cx - w / 2, y1: cy - h / 2, x2: cx + w / 2, y2: cy + h / 2, score, classId: scores.indexOf(score) });
    }
  }
  let open = boxes.toSorted((a, b) => b.score - a.score);
  const kept: NaiveBox[] = [];
  while (open.length > 0) {
    const [best, ...rest] = open;
    kept.push(best!);
    open = rest.filter((box) => box.classId !== best!.classId || overlap(box, best!) <= thresholds.iou);
  }
  return kept;
}

function overlap(a: NaiveBox, b: NaiveBox): number {
  const width = Math.max(0, Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1));
  const height = Math.max(0, Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1));
  const shared = width * height;
  return shared / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - shared);
}

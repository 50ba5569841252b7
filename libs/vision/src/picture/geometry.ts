/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Corners in pixels, x to the right, y down. */
export interface Corners {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** How a picture lies in the model's input: scaled by `gain`, then moved by `left`, `top`. */
export interface LetterboxGeometry {
  readonly source: Size;
  readonly target: Size;
  /** The picture inside the target, in target pixels. */
  readonly band: Size;
  readonly left: number;
  readonly top: number;
  readonly gainX: number;
  readonly gainY: number;
}

/** Python's round: halves go to the even neighbour, as the YOLO exporters compute the scaled size. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Centred letterbox of `source` in `target`; an odd pixel of padding goes to the right and the bottom. */
export function planLetterbox(source: Size, target: Size): LetterboxGeometry {
  const gain = Math.min(target.width / source.width, target.height / source.height);
  const band = {
    width: clamp(roundHalfEven(source.width * gain), 1, target.width),
    height: clamp(roundHalfEven(source.height * gain), 1, target.height),
  };
  return {
    source,
    target,
    band,
    left: Math.floor((target.width - band.width) / 2),
    top: Math.floor((target.height - band.height) / 2),
    gainX: band.width / source.width,
    gainY: band.height / source.height,
  };
}

/** Model-input pixels back to picture pixels, clipped to the picture. */
export function toPicture(box: Corners, geometry: LetterboxGeometry): Corners {
  const { source, left, top, gainX, gainY } = geometry;
  return {
    x1: clamp((box.x1 - left) / gainX, 0, source.width),
    y1: clamp((box.y1 - top) / gainY, 0, source.height),
    x2: clamp((box.x2 - left) / gainX, 0, source.width),
    y2: clamp((box.y2 - top) / gainY, 0, source.height),
  };
}

/** Picture pixels to model-input pixels, unclipped. */
export function toInput(box: Corners, geometry: LetterboxGeometry): Corners {
  const { left, top, gainX, gainY } = geometry;
  return { x1: box.x1 * gainX + left, y1: box.y1 * gainY + top, x2: box.x2 * gainX + left, y2: box.y2 * gainY + top };
}

/** Intersection over union; 0 where either box has no area. */
export function intersectionOverUnion(a: Corners, b: Corners): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (!(width > 0 && height > 0)) return 0;
  const overlap = width * height;
  return overlap / (area(a) + area(b) - overlap);
}

function area(box: Corners): number {
  return (box.x2 - box.x1) * (box.y2 - box.y1);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

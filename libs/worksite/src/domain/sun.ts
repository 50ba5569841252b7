/** Ticks from one sunrise to the next. At the demo's few frames a second that is some minutes of running time. */
export const DAY_TICKS = 900;

export interface Rgb {
  readonly r: number;
  readonly g: number;
  readonly b: number;
}

export interface Sun {
  /** Across the frame: 0 left edge, 1 right edge. */
  readonly x: number;
  /** Above the horizon: 0 on it, 1 at noon. */
  readonly height: number;
  /** Factors on every drawn colour; warm when the sun is low. */
  readonly tint: Rgb;
  readonly skyTop: Rgb;
  readonly skyLow: Rgb;
  /** Sideways reach of a shadow as a share of the height of what throws it; negative = to the left. */
  readonly shadowSlope: number;
  /** Share of light that a shadow takes away, 0..1. */
  readonly shadowDepth: number;
}

const NOON = { tint: rgb(1, 1, 0.99), top: rgb(74, 142, 212), low: rgb(202, 226, 242) };
const LOW = { tint: rgb(1.04, 0.9, 0.76), top: rgb(104, 128, 178), low: rgb(250, 206, 158) };

/** The sun of a tick. `phase` (0..1) shifts the hour, so that cameras of one fleet do not all look west. */
export function sunAt(tick: number, phase: number): Sun {
  const hour = (tick / DAY_TICKS + phase) % 1;
  const height = Math.sin(Math.PI * (0.08 + 0.84 * hour));
  const warmth = Math.max(0, 1 - height * 1.35);
  return {
    x: 0.05 + 0.9 * hour,
    height,
    tint: mix(NOON.tint, LOW.tint, warmth),
    skyTop: mix(NOON.top, LOW.top, warmth),
    skyLow: mix(NOON.low, LOW.low, warmth),
    shadowSlope: (hour - 0.5) * 1.9,
    shadowDepth: 0.2 + 0.16 * height,
  };
}

export function mix(a: Rgb, b: Rgb, share: number): Rgb {
  return { r: a.r + (b.r - a.r) * share, g: a.g + (b.g - a.g) * share, b: a.b + (b.b - a.b) * share };
}

export function rgb(r: number, g: number, b: number): Rgb {
  return { r, g, b };
}

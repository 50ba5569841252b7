import type { TelemetryWindow } from '@edgeloop/contracts';

/** What a node saw under one release. */
export interface Seen {
  readonly windows: number;
  readonly frames: number;
  readonly detections: number;
}

/** Most recent windows of a node and release that are weighed. */
export const WINDOWS_KEPT_MAX = 60;
/** Below this the predecessor saw an empty scene: nothing can be said of the successor. */
export const BASELINE_PER_FRAME_MIN = 0.2;
/** Fewer frames make no baseline. */
export const BASELINE_FRAMES_MIN = 20;
/** A successor that sees less than this share of what its predecessor saw per frame sees nothing. */
export const SEEN_SHARE_MIN = 0.02;
/** A blind verdict needs this much evidence. */
export const BLIND_WINDOWS_MIN = 3;
export const BLIND_FRAMES_MIN = 20;

/**
 * - `not-judged`: no predecessor, or it saw an empty scene: no grounds.
 * - `too-early`: not enough windows yet to call it blind.
 * - `nothing-heard`: no frame of the new release reported so far.
 */
export type VisionVerdict = 'not-judged' | 'nothing-heard' | 'too-early' | 'sees' | 'sees-nothing';

export const NOTHING_SEEN: Seen = { windows: 0, frames: 0, detections: 0 };

export function perFrame(seen: Seen): number {
  return seen.frames === 0 ? 0 : seen.detections / seen.frames;
}

/** Compares a release with its predecessor on the same node. */
export function judgeVision(baseline: Seen | null, seen: Seen): VisionVerdict {
  if (baseline === null || baseline.frames < BASELINE_FRAMES_MIN || perFrame(baseline) <= BASELINE_PER_FRAME_MIN) return 'not-judged';
  if (seen.frames === 0) return 'nothing-heard';
  if (seen.detections > 0 && perFrame(seen) >= perFrame(baseline) * SEEN_SHARE_MIN) return 'sees';
  return seen.windows >= BLIND_WINDOWS_MIN && seen.frames >= BLIND_FRAMES_MIN ? 'sees-nothing' : 'too-early';
}

/** The part of a telemetry window that counts here; `key` makes a window that is told twice count once. */
export interface Glance {
  readonly key: string;
  readonly frames: number;
  readonly detections: number;
}

export function glanceOf(window: TelemetryWindow): Glance {
  return {
    key: `${window.epoch}:${window.sequence}`,
    frames: window.frames,
    detections: window.classes.reduce((sum, { detections }) => sum + detections, 0),
  };
}

/** Adds a window to the recent ones, once. Returns the same list when it was there. */
export function withGlance(glances: readonly Glance[], glance: Glance): readonly Glance[] {
  if (glances.some(({ key }) => key === glance.key)) return glances;
  return [...glances, glance].slice(-WINDOWS_KEPT_MAX);
}

export function seenIn(glances: readonly Glance[]): Seen {
  return glances.reduce<Seen>(
    (sum, { frames, detections }) => ({
      windows: sum.windows + 1,
      frames: sum.frames + frames,
      detections: sum.detections + detections,
    }),
    NOTHING_SEEN,
  );
}

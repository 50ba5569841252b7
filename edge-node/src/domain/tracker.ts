/** A box as fractions of the picture: centre and size. */
export interface TrackableBox {
  readonly classId: number;
  readonly cx: number;
  readonly cy: number;
  readonly w: number;
  readonly h: number;
}

export interface Track {
  readonly trackId: number;
  readonly box: TrackableBox;
  /** Frames since it was last seen; 0 in the frame that shows it. */
  readonly missedFrames: number;
  /** Frames that showed it. */
  readonly seenFrames: number;
}

export interface TrackerState {
  readonly nextTrackId: number;
  readonly tracks: readonly Track[];
}

/** Boxes of neighbouring frames that overlap by less belong to two things. */
export const TRACK_IOU_MIN = 0.3;

/** A thing that is hidden for longer comes back as another. */
export const TRACK_MISSED_FRAMES_MAX = 5;

/** Tracks kept; the longest unseen are given up first. */
export const TRACKS_MAX = 300;

export const noTracks: TrackerState = { nextTrackId: 1, tracks: [] };

export interface Tracked {
  readonly state: TrackerState;
  /** Per box of the frame, in its order. */
  readonly trackIds: readonly number[];
}

/**
 * Gives each box of a frame the number of the track it continues, else a new one. Pairs of one class are joined by overlap, the
 * largest first; equal overlaps by track, then by box, so that the same frames always give the same numbers.
 */
export function track(state: TrackerState, boxes: readonly TrackableBox[]): Tracked {
  const trackOfBox = pairUp(state.tracks, boxes);
  const continued = new Set(trackOfBox.values());
  let nextTrackId = state.nextTrackId;
  const seen = boxes.map((box, index): Track => {
    const before = trackOfBox.get(index);
    if (before === undefined) return { trackId: nextTrackId++, box, missedFrames: 0, seenFrames: 1 };
    return { trackId: before.trackId, box, missedFrames: 0, seenFrames: before.seenFrames + 1 };
  });
  const hidden = state.tracks
    .filter((candidate) => !continued.has(candidate) && candidate.missedFrames < TRACK_MISSED_FRAMES_MAX)
    .map((candidate) => ({ ...candidate, missedFrames: candidate.missedFrames + 1 }));
  const tracks = [...seen, ...hidden].toSorted((a, b) => a.missedFrames - b.missedFrames || a.trackId - b.trackId).slice(0, TRACKS_MAX);
  return { state: { nextTrackId, tracks }, trackIds: seen.map(({ trackId }) => trackId) };
}

/** Number of the box -> track it continues. */
function pairUp(tracks: readonly Track[], boxes: readonly TrackableBox[]): Map<number, Track> {
  const pairs = tracks.flatMap((candidate) =>
    boxes.flatMap((box, index) => {
      const iou = candidate.box.classId === box.classId ? overlap(candidate.box, box) : 0;
      return iou >= TRACK_IOU_MIN ? [{ candidate, index, iou }] : [];
    }),
  );
  const paired = new Map<number, Track>();
  const taken = new Set<Track>();
  for (const { candidate, index } of pairs.toSorted(
    (a, b) => b.iou - a.iou || a.candidate.trackId - b.candidate.trackId || a.index - b.index,
  )) {
    if (taken.has(candidate) || paired.has(index)) continue;
    taken.add(candidate);
    paired.set(index, candidate);
  }
  return paired;
}

function overlap(a: TrackableBox, b: TrackableBox): number {
  const width = shared(a.cx, a.w, b.cx, b.w);
  const height = shared(a.cy, a.h, b.cy, b.h);
  if (!(width > 0 && height > 0)) return 0;
  const area = width * height;
  return area / (a.w * a.h + b.w * b.h - area);
}

function shared(centreA: number, lengthA: number, centreB: number, lengthB: number): number {
  return Math.min(centreA + lengthA / 2, centreB + lengthB / 2) - Math.max(centreA - lengthA / 2, centreB - lengthB / 2);
}

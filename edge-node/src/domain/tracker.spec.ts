import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TRACK_MISSED_FRAMES_MAX, TRACKS_MAX, noTracks, track } from './tracker.ts';
import type { TrackableBox, TrackerState } from './tracker.ts';

const at = (cx: number, classId = 0): TrackableBox => ({ classId, cx, cy: 0.5, w: 0.1, h: 0.1 });

/** Track numbers per frame. */
function run(frames: readonly (readonly TrackableBox[])[]): number[][] {
  let state: TrackerState = noTracks;
  return frames.map((boxes) => {
    const tracked = track(state, boxes);
    state = tracked.state;
    return [...tracked.trackIds];
  });
}

describe('track', () => {
  it('numbers new boxes and keeps their numbers while they move', () => {
    expect(
      run([
        [at(0.2), at(0.8)],
        [at(0.22), at(0.78)],
        [at(0.76), at(0.24)],
      ]),
    ).toEqual([
      [1, 2],
      [1, 2],
      [2, 1],
    ]);
  });

  it('gives a jump a new number', () => expect(run([[at(0.2)], [at(0.5)]])).toEqual([[1], [2]]));

  it('never joins two classes', () => expect(run([[at(0.2, 0)], [at(0.2, 1)]])).toEqual([[1], [2]]));

  it('remembers a hidden thing for a while, not longer', () => {
    const hidden = (frames: number) => run([[at(0.2)], ...Array.from({ length: frames }, () => []), [at(0.2)]]).at(-1);
    expect(hidden(TRACK_MISSED_FRAMES_MAX)).toEqual([1]);
    expect(hidden(TRACK_MISSED_FRAMES_MAX + 1)).toEqual([2]);
  });

  it('joins the pair that overlaps most first', () => {
    expect(
      run([
        [at(0.2), at(0.26)],
        [at(0.25), at(0.31)],
      ]),
    ).toEqual([
      [1, 2],
      [2, 3],
    ]);
  });

  it('counts the frames that showed a thing', () => {
    const first = track(noTracks, [at(0.2)]);
    const second = track(first.state, [at(0.21)]);
    expect(second.state.tracks).toEqual([{ trackId: 1, box: at(0.21), missedFrames: 0, seenFrames: 2 }]);
  });

  const box = fc.record({
    classId: fc.nat(1),
    cx: fc.double({ min: 0, max: 1, noNaN: true }),
    cy: fc.constantFrom(0.4, 0.5),
    w: fc.constantFrom(0.1, 0.2),
    h: fc.constant(0.2),
  });
  const frames = fc.array(fc.array(box, { maxLength: 8 }), { maxLength: 12 });

  it('gives each box of a frame another number, never reuses one that was given up, and forgets nothing it returned last', () => {
    fc.assert(
      fc.property(frames, (list) => {
        let state = noTracks;
        for (const boxes of list) {
          const known = new Set(state.tracks.map(({ trackId }) => trackId));
          const next = track(state, boxes);
          expect(new Set(next.trackIds).size).toBe(boxes.length);
          for (const id of next.trackIds) expect(known.has(id) || id >= state.nextTrackId).toBe(true);
          expect(next.state.tracks.filter(({ missedFrames }) => missedFrames === 0)).toHaveLength(boxes.length);
          state = next.state;
        }
      }),
    );
  });

  it('stays bounded', () => {
    let state = noTracks;
    for (let frame = 0; frame < 4; frame++)
      state = track(
        state,
        Array.from({ length: 200 }, (_, i) => at(frame + i * 2)),
      ).state;
    expect(state.tracks.length).toBe(TRACKS_MAX);
  });
});

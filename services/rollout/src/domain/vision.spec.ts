import { describe, expect, it } from '@jest/globals';
import type { TelemetryWindow } from '@edgeloop/contracts';
import {
  BASELINE_FRAMES_MIN,
  BLIND_FRAMES_MIN,
  BLIND_WINDOWS_MIN,
  NOTHING_SEEN,
  WINDOWS_KEPT_MAX,
  glanceOf,
  judgeVision,
  seenIn,
  withGlance,
} from './vision.ts';
import type { Seen } from './vision.ts';

const seen = (windows: number, frames: number, detections: number): Seen => ({ windows, frames, detections });
const BUSY = seen(10, 200, 400);

describe('judgeVision', () => {
  it('calls a release blind when its predecessor on the same node saw much and it sees nothing', () => {
    expect(judgeVision(BUSY, seen(BLIND_WINDOWS_MIN, BLIND_FRAMES_MIN, 0))).toBe('sees-nothing');
  });

  it('waits for enough windows and frames before it calls a release blind', () => {
    expect(judgeVision(BUSY, seen(BLIND_WINDOWS_MIN - 1, 500, 0))).toBe('too-early');
    expect(judgeVision(BUSY, seen(10, BLIND_FRAMES_MIN - 1, 0))).toBe('too-early');
    expect(judgeVision(BUSY, NOTHING_SEEN)).toBe('nothing-heard');
    expect(judgeVision(BUSY, seen(5, 0, 0))).toBe('nothing-heard');
  });

  it('takes a stray box for nothing, and the share exactly at the bound for seeing', () => {
    expect(judgeVision(BUSY, seen(10, 1000, 39))).toBe('sees-nothing');
    expect(judgeVision(BUSY, seen(10, 1000, 40))).toBe('sees');
  });

  it('believes an early detection', () => {
    expect(judgeVision(BUSY, seen(1, 4, 1))).toBe('sees');
  });

  it('does not judge without a predecessor, on an empty scene, or on a thin baseline', () => {
    const blind = seen(50, 1000, 0);
    expect(judgeVision(null, blind)).toBe('not-judged');
    expect(judgeVision(seen(10, 200, 0), blind)).toBe('not-judged');
    expect(judgeVision(seen(10, 200, 40), blind)).toBe('not-judged');
    expect(judgeVision(seen(10, 200, 41), blind)).toBe('sees-nothing');
    expect(judgeVision(seen(1, BASELINE_FRAMES_MIN - 1, 100), blind)).toBe('not-judged');
  });
});

describe('glances', () => {
  const glance = (index: number) => ({ key: `e:${index}`, frames: 2, detections: 1 });

  it('counts a window that is told twice once', () => {
    const once = withGlance([], glance(1));
    expect(withGlance(once, glance(1))).toBe(once);
  });

  it('weighs the most recent windows only', () => {
    const many = Array.from({ length: WINDOWS_KEPT_MAX + 5 }, (_, index) => glance(index)).reduce(
      withGlance,
      [] as ReturnType<typeof withGlance>,
    );
    expect(seenIn(many)).toEqual({ windows: WINDOWS_KEPT_MAX, frames: 2 * WINDOWS_KEPT_MAX, detections: WINDOWS_KEPT_MAX });
    expect(many[0]?.key).toBe('e:5');
  });

  it('adds up the detections of all classes', () => {
    const window = {
      epoch: 'epoch-01',
      sequence: 4,
      frames: 9,
      classes: [{ detections: 2 }, { detections: 3 }],
    } as unknown as TelemetryWindow;
    expect(glanceOf(window)).toEqual({ key: 'epoch-01:4', frames: 9, detections: 5 });
  });
});

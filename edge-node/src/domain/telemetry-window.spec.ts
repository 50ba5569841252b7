import { describe, expect, it } from '@jest/globals';
import { addError, addFrame, closeWindow, isAbout, openWindow, percentile } from './telemetry-window.ts';
import type { SeenFrame } from './telemetry-window.ts';

const MODEL = { releaseId: 'm-v1', modelDigest: 'sha256:1' };
const seen = (rest: Partial<SeenFrame> = {}): SeenFrame => ({
  latencyMs: 10,
  brightness: 0.5,
  sharpness: 0.01,
  detections: [],
  bestScorePerClass: [],
  ...rest,
});

describe('a telemetry window', () => {
  it('of nothing is not sent', () => {
    expect(closeWindow(openWindow(0, MODEL), 1_000)).toBeUndefined();
  });

  it('of errors alone is sent: a node that sees nothing must show', () => {
    expect(closeWindow(addError(openWindow(0, MODEL)), 1_000)).toMatchObject({ frames: 0, inferenceErrors: 1, framesPerSecond: 0 });
  });

  it('counts frames, empty frames, detections per class and best scores per bin', () => {
    let window = openWindow(0, MODEL);
    window = addFrame(window, seen({ detections: [{ classId: 1 }, { classId: 1 }], bestScorePerClass: [0.05, 1], brightness: 0.2 }));
    window = addFrame(window, seen({ bestScorePerClass: [0, 0.5], brightness: 0.4, latencyMs: 30 }));
    const closed = closeWindow(window, 2_000);
    expect(closed).toMatchObject({ frames: 2, emptyFrames: 1, framesPerSecond: 1, latencyMs: { p50: 10, p95: 30 }, ...MODEL });
    expect(closed?.brightness.mean).toBeCloseTo(0.3);
    expect(closed?.brightness).toMatchObject({ min: 0.2, max: 0.4 });
    const [first, second] = closed?.classes ?? [];
    expect(first).toMatchObject({ classId: 0, detections: 0 });
    expect(first?.scoreHistogram[1]).toBe(1);
    expect(second).toMatchObject({ classId: 1, detections: 2 });
    expect([second?.scoreHistogram[10], second?.scoreHistogram[19]]).toEqual([1, 1]);
  });

  it('is about one model', () => {
    const window = openWindow(0, MODEL);
    expect(isAbout(window, MODEL)).toBe(true);
    expect(isAbout(window, { ...MODEL, modelDigest: 'sha256:2' })).toBe(false);
  });

  it('takes percentiles by nearest rank', () => {
    expect(percentile([], 0.5)).toBe(0);
    expect(percentile([3, 1, 2], 0.5)).toBe(2);
    expect(
      percentile(
        Array.from({ length: 100 }, (_, index) => index + 1),
        0.95,
      ),
    ).toBe(95);
  });
});

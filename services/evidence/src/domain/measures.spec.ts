import { describe, expect, it } from '@jest/globals';
import { DAY, windowOf } from '../testing/windows.ts';
import { meanOf, measuresOf } from './measures.ts';

describe('measures of a window', () => {
  it('count each frame the same', () => {
    expect(measuresOf(windowOf(0, { ...DAY, perFrame: 2.5, empty: 3, score: 0.81 }))).toEqual({
      'detections-per-frame': 2.5,
      'mean-score': expect.closeTo(0.825),
      brightness: 0.52,
      sharpness: 0.02,
      'empty-share': 0.3,
    });
  });

  it('have no score where nothing was detected, and are none where no frame was seen', () => {
    expect(measuresOf(windowOf(0, { ...DAY, perFrame: 0 }))).not.toHaveProperty('mean-score');
    expect(measuresOf(windowOf(0, { ...DAY, frames: 0 }))).toBeUndefined();
  });

  it('are averaged over the windows that have them', () => {
    expect(meanOf([{ brightness: 0.2 }, { brightness: 0.4, 'mean-score': 0.9 }])).toEqual({
      brightness: expect.closeTo(0.3),
      'mean-score': 0.9,
    });
    expect(meanOf([])).toEqual({});
  });
});

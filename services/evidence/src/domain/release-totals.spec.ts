import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { overNodes, withWindow } from './release-totals.ts';
import type { ReleaseTotals } from './release-totals.ts';

const window = (releaseId: string | null, frames = 10) => ({ releaseId, frames, emptyFrames: 2, detections: frames * 3 });

describe('what releases saw', () => {
  it('is added up for each release on its own', () => {
    const totals = [window('v1'), window('v2'), window('v1', 20)].reduce(withWindow, [] as readonly ReleaseTotals[]);
    expect(totals).toEqual([
      { releaseId: 'v2', windows: 1, frames: 10, emptyFrames: 2, detections: 30 },
      { releaseId: 'v1', windows: 2, frames: 30, emptyFrames: 4, detections: 90 },
    ]);
  });

  it('forgets the release that was seen longest ago', () => {
    const seen = ['v1', 'v2', 'v1', 'v3', 'v4', 'v5'].map((releaseId) => window(releaseId));
    expect(seen.reduce(withWindow, [] as readonly ReleaseTotals[]).map(({ releaseId }) => releaseId)).toEqual(['v1', 'v3', 'v4', 'v5']);
  });

  it('leaves out windows of a node that ran nothing', () => {
    expect(withWindow([], window(null))).toEqual([]);
  });

  it('counts over nodes what all of them counted', () => {
    const anyWindows = fc.array(
      fc.record({ releaseId: fc.constantFrom('v1', 'v2'), frames: fc.nat(50), emptyFrames: fc.nat(9), detections: fc.nat(99) }),
    );
    fc.assert(
      fc.property(fc.array(anyWindows, { maxLength: 5 }), (perNode) => {
        const fields = overNodes(perNode.map((windows) => windows.reduce(withWindow, [] as readonly ReleaseTotals[])));
        const frames = (releaseId: string) =>
          perNode.flat().reduce((sum, each) => sum + (each.releaseId === releaseId ? each.frames : 0), 0);
        for (const field of fields) {
          expect(field.frames).toBe(frames(field.releaseId));
          expect(field.nodes).toBe(perNode.filter((windows) => windows.some((each) => each.releaseId === field.releaseId)).length);
        }
      }),
    );
  });
});

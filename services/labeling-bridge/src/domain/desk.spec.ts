import { describe, expect, it } from '@jest/globals';
import { EMPTY_DESK, noteClosed, noteStarted } from './desk.ts';

describe('campaigns on the desk', () => {
  const started = noteStarted(EMPTY_DESK, 'c');

  it('are noted once, also when they are announced again', () => {
    expect(noteStarted(started, 'c')).toBe(started);
    expect(started.campaigns).toEqual([{ campaignId: 'c', closedWith: null }]);
  });

  it('close once and stay closed, in whatever order the news come', () => {
    const closed = noteClosed(started, 'c', 7);
    expect(closed.campaigns).toEqual([{ campaignId: 'c', closedWith: 7 }]);
    expect(noteClosed(closed, 'c', 9)).toBe(closed);
    expect(noteStarted(closed, 'c')).toBe(closed);
    expect(noteStarted(noteClosed(EMPTY_DESK, 'c', 7), 'c').campaigns).toEqual([{ campaignId: 'c', closedWith: 7 }]);
  });
});

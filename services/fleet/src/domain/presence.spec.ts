import { describe, expect, it } from '@jest/globals';
import { CONNECTED_WITHIN_MS, fellBack, isConnected, notice } from './presence.ts';
import type { Beat, Presence } from './presence.ts';

const NOW = 1_000_000;
const runs = (releaseId: string) => ({ releaseId, modelDigest: `sha256:${'1'.repeat(64)}`, generation: 3 });
const beat = (sequence: number, more: Partial<Beat> = {}): Beat => ({
  nodeId: 'cam-1',
  epoch: 'epoch-01',
  sequence,
  running: runs('v2'),
  phase: 'idle',
  desiredGeneration: 3,
  framesTotal: 1,
  framesPerSecond: 1,
  ...more,
});
const after = (...beats: Beat[]): Presence =>
  beats.reduce<Presence | undefined>((before, next) => notice(before, next, NOW), undefined) as Presence;

describe('notice', () => {
  it('ignores what comes late or twice', () => {
    const seen = after(beat(4));
    expect(notice(seen, beat(4), NOW + 1)).toBe(seen);
    expect(notice(seen, beat(3), NOW + 1)).toBe(seen);
  });
  it('a node that begins a new life is no duplicate', () => {
    expect(after(beat(4), beat(0, { epoch: 'epoch-02' }), beat(1, { epoch: 'epoch-02' })).duplicated).toBe(false);
  });
  it('two lives that speak in turns are two machines', () => {
    expect(after(beat(4), beat(0, { epoch: 'epoch-02' }), beat(5)).duplicated).toBe(true);
  });
});

describe('isConnected', () => {
  it('holds for exactly the limit', () => {
    expect(isConnected(after(beat(1)), NOW + CONNECTED_WITHIN_MS)).toBe(true);
    expect(isConnected(after(beat(1)), NOW + CONNECTED_WITHIN_MS + 1)).toBe(false);
    expect(isConnected(undefined, NOW)).toBe(false);
  });
});

describe('fellBack', () => {
  const desired = { releaseId: 'v2', generation: 3 };
  const old = { running: runs('v1') };
  it('takes two heartbeats at rest', () => {
    expect(fellBack(after(beat(1), beat(2, old)), desired)).toBe(false);
    expect(fellBack(after(beat(1), beat(2, old), beat(3, old)), desired)).toBe(true);
    expect(fellBack(after(beat(1), beat(2, { running: null }), beat(3, { running: null })), desired)).toBe(true);
  });
  it('a node that is still at it, or has not heard yet, has not fallen back', () => {
    const busy = { ...old, phase: 'switching' as const };
    expect(fellBack(after(beat(1, busy), beat(2, busy)), desired)).toBe(false);
    const deaf = { ...old, desiredGeneration: 2 };
    expect(fellBack(after(beat(1, deaf), beat(2, deaf)), desired)).toBe(false);
    expect(fellBack(after(beat(1), beat(2)), desired)).toBe(false);
    expect(fellBack(undefined, desired)).toBe(false);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { NodeView } from '@edgeloop/contracts';
import { fleetText } from './status.ts';

function node(desired: string | null, running: string | null, connected = true): NodeView {
  return {
    nodeId: 'cam-1',
    attributes: {},
    enrolledAt: '2026-01-01T00:00:00.000Z',
    desired: { generation: 1, releaseId: desired, campaignId: 'base' },
    reported: { releaseId: null, generation: 0, outcome: null, reason: null },
    running: running === null ? null : { releaseId: running, modelDigest: `sha256:${'0'.repeat(64)}`, generation: 1 },
    phase: 'idle',
    framesTotal: 0,
    framesPerSecond: 0,
    lastSeen: null,
    connected,
  };
}

describe('the fleet in one line', () => {
  it.each([
    [[], 'no node has joined yet'],
    [[node(null, null)], '1 node, 1 connected, nothing rolled out to them yet'],
    [[node('r-1', 'r-1')], '1 node, 1 connected, 1 of 1 runs what it should'],
    [[node('r-2', 'r-1'), node('r-2', 'r-2', false)], '2 nodes, 1 connected, 1 of 2 runs what it should'],
    [[node('r-1', null), node('r-1', null), node(null, null)], '3 nodes, 3 connected, 0 of 2 run what they should'],
  ])('%#', (nodes, text) => {
    expect(fleetText(nodes)).toBe(text);
  });
});

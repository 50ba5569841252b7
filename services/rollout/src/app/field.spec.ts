import type { TelemetryWindow } from '@edgeloop/contracts';
import { describe, expect, it } from '@jest/globals';
import { RUNS_OLD, START, beat } from '../domain/rollout.fixture.ts';
import { Field, NODES_REMEMBERED_MAX, RELEASES_PER_NODE_MAX } from './field.ts';

const window = (sequence: number, releaseId: string | null, detections: number): TelemetryWindow =>
  ({
    epoch: 'epoch-01',
    sequence,
    releaseId,
    frames: 10,
    classes: [{ classId: 0, detections, scoreHistogram: [] }],
  }) as unknown as TelemetryWindow;

describe('Field', () => {
  it('keeps what a node saw apart by release', () => {
    const field = new Field();
    field.watched('n1', [window(1, 'v1', 20), window(2, 'v2', 0), window(3, null, 5)]);
    field.watched('n1', [window(1, 'v1', 20)]);
    expect(field.seenUnder('n1', 'v1')).toEqual({ windows: 1, frames: 10, detections: 20 });
    expect(field.seenUnder('n1', 'v2')).toEqual({ windows: 1, frames: 10, detections: 0 });
    expect(field.seenUnder('n1', null)).toBeUndefined();
    expect(field.seenUnder('n2', 'v1')).toBeUndefined();
  });

  it('remembers the newest heartbeat', () => {
    const field = new Field();
    field.heard(beat('n1', 2), START);
    field.heard(beat('n1', 1, RUNS_OLD), START + 1);
    expect(field.sightOf('n1')?.beat.sequence).toBe(2);
  });

  it('is bounded in nodes and in releases per node', () => {
    const field = new Field();
    for (let index = 0; index <= NODES_REMEMBERED_MAX; index++) field.heard(beat(`n${index}`, 1), START);
    expect([field.sightOf('n0'), field.sightOf('n1')?.beat.nodeId]).toEqual([undefined, 'n1']);
    for (let index = 0; index <= RELEASES_PER_NODE_MAX; index++) field.watched('n1', [window(index, `v${index}`, 1)]);
    expect([field.seenUnder('n1', 'v0'), field.seenUnder('n1', 'v1')?.windows]).toEqual([undefined, 1]);
  });
});

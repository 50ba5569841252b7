import { describe, expect, it } from '@jest/globals';
import { tempFolders } from '../temp-folder.spec-kit.ts';
import { SEQUENCE_BLOCK, SequenceBlocks } from './sequence-blocks.ts';
import { spoolIn } from './spool.spec-kit.ts';

const folder = tempFolders();

describe('sequence numbers from blocks', () => {
  it('grow, and never repeat across a restart', async () => {
    const { database } = spoolIn(await folder());
    const first = new SequenceBlocks(database, 'telemetry');
    expect([first.next(), first.next()]).toEqual([0, 1]);
    expect(new SequenceBlocks(database, 'telemetry').next()).toBe(SEQUENCE_BLOCK);
    expect(new SequenceBlocks(database, 'heartbeat').next()).toBe(0);
  });
});

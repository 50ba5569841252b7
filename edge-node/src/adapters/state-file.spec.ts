import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { emptyNodeState } from '../domain/node-state.ts';
import type { NodeState } from '../domain/node-state.ts';
import { started, wants, proven, release } from '../domain/updater.spec-kit.ts';
import { StateFile, StateNotStoredError } from './state-file.ts';
import { tempFolders } from './temp-folder.spec-kit.ts';

const folder = tempFolders();
const withSequence = (reportSequence: number): NodeState => ({ ...emptyNodeState('epoch-12345'), reportSequence });

async function saved(at: string, ...states: NodeState[]): Promise<void> {
  const file = new StateFile(at);
  await file.load();
  for (const state of states) await file.save(state);
}

describe('the state file', () => {
  it('is empty on a new node', async () => {
    expect(await new StateFile(await folder()).load()).toEqual({ state: undefined, damaged: 0 });
  });

  it('gives back what was saved last, whatever came before', async () => {
    const at = await folder();
    const rich = started(wants(proven('a'), 2, release('b')), 'verify').node;
    const full: NodeState = { ...rich, epoch: 'epoch-12345' };
    await saved(at, withSequence(1), full, withSequence(3), full);
    expect((await new StateFile(at).load()).state).toEqual(full);
  });

  it('goes on with its sequence after a restart', async () => {
    const at = await folder();
    for (let turn = 1; turn <= 5; turn += 1) await saved(at, withSequence(turn));
    expect((await new StateFile(at).load()).state?.reportSequence).toBe(5);
  });

  it('falls back to the generation before when the newest is torn at any byte, and says so', async () => {
    const at = await folder();
    await saved(at, withSequence(1), withSequence(2), withSequence(3));
    const newest = await newestOf(at, 3);
    const whole = await readFile(newest);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (length) => {
        await writeFile(newest, whole.subarray(0, length));
        const loaded = await new StateFile(at).load();
        expect(loaded.state?.reportSequence).toBe(2);
        expect(loaded.damaged).toBe(1);
      }),
      { numRuns: 60 },
    );
  });

  it('never believes a flipped bit', async () => {
    const at = await folder();
    await saved(at, withSequence(1), withSequence(2));
    const newest = await newestOf(at, 2);
    const whole = await readFile(newest);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 64, max: whole.length - 1 }), fc.integer({ min: 0, max: 7 }), async (index, bit) => {
        const flipped = Buffer.from(whole);
        flipped[index] = (flipped[index] ?? 0) ^ (1 << bit);
        await writeFile(newest, flipped);
        expect((await new StateFile(at).load()).state?.reportSequence).toBe(1);
      }),
      { numRuns: 60 },
    );
  });

  it('writes over the torn generation next, so that the sound one stays until then', async () => {
    const at = await folder();
    await saved(at, withSequence(1), withSequence(2));
    await truncate(await newestOf(at, 2), 10);
    await saved(at, withSequence(7));
    expect((await new StateFile(at).load()).state?.reportSequence).toBe(7);
  });

  it('says what to do when the state cannot be stored', async () => {
    const at = await folder();
    const file = new StateFile(join(at, 'state'));
    await file.load();
    await writeFile(join(at, 'state', 'gen-B.json'), '');
    await file.save(withSequence(1));
    const { mkdir, rm } = await import('node:fs/promises');
    await rm(join(at, 'state', 'gen-B.json'));
    await mkdir(join(at, 'state', 'gen-B.json'));
    await expect(file.save(withSequence(2))).rejects.toThrow(StateNotStoredError);
    expect((await new StateFile(join(at, 'state')).load()).state?.reportSequence).toBe(1);
  });
});

async function newestOf(at: string, reportSequence: number): Promise<string> {
  for (const name of ['gen-A.json', 'gen-B.json']) {
    if ((await readFile(join(at, name), 'utf8')).includes(`"reportSequence":${reportSequence},`)) return join(at, name);
  }
  throw new Error('no such generation');
}

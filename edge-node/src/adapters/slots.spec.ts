import { mkdir, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../domain/updater.spec-kit.ts';
import { SlotDamagedError, Slots, directoryName } from './slots.ts';
import { tempFolders } from './temp-folder.spec-kit.ts';

const folder = tempFolders();
const A = digestOf('a');
const B = digestOf('b');

async function staged(node: string, content: string): Promise<string> {
  const path = join(node, 'staging', `tree-${content}`);
  await mkdir(join(path, 'goldens'), { recursive: true });
  await writeFile(join(path, 'model.onnx'), content);
  await writeFile(join(path, 'goldens', '0.jpg'), 'picture');
  return path;
}

async function nodeWith(...digests: string[]): Promise<{ node: string; slots: Slots }> {
  const node = await folder();
  const slots = new Slots(node);
  for (const digest of digests) await slots.install(digest, await staged(node, digest.at(-1) ?? ''));
  return { node, slots };
}

describe('slots', () => {
  it('appear whole and hold what was staged', async () => {
    const { slots, node } = await nodeWith(A);
    expect(await slots.verify(A)).toBe(join(node, 'slots', directoryName(A)));
    expect(await readdir(join(node, 'staging'))).toEqual([]);
  });

  it('that are not there, or hold other bytes, or miss a file are named as damaged', async () => {
    const { slots } = await nodeWith(A, B);
    await expect(slots.verify(digestOf('c'))).rejects.toThrow(SlotDamagedError);
    await writeFile(join(slots.pathOf(A), 'model.onnx'), 'x');
    await expect(slots.verify(A)).rejects.toThrow(/model\.onnx has other bytes/);
    await rm(join(slots.pathOf(B), 'goldens', '0.jpg'));
    await expect(slots.verify(B)).rejects.toThrow(/cannot be read/);
  });

  it('can be installed again over a damaged one', async () => {
    const { slots, node } = await nodeWith(A);
    await writeFile(join(slots.pathOf(A), 'model.onnx'), 'x');
    await slots.install(A, await staged(node, 'again'));
    await slots.verify(A);
  });

  it('point: exactly one is current, by a relative link', async () => {
    const { slots, node } = await nodeWith(A, B);
    expect(await slots.current()).toBeNull();
    await slots.point(A);
    await slots.point(B);
    expect(await slots.current()).toBe(B);
    expect(await readlink(join(node, 'current'))).toBe(join('slots', directoryName(B)));
    await slots.point(null);
    expect(await slots.current()).toBeNull();
  });

  it('tidy keeps what is named and removes the rest, half-made trees and half-made pointers included', async () => {
    const { slots, node } = await nodeWith(A, B);
    await slots.point(A);
    await staged(node, 'half');
    await writeFile(join(node, 'staging', 'keep.part'), '');
    await writeFile(join(node, '.current.123'), '');
    expect(await slots.tidy([A], ['keep.part'])).toBe(1);
    expect(await readdir(join(node, 'slots'))).toEqual([directoryName(A)]);
    expect(await readdir(join(node, 'staging'))).toEqual(['keep.part']);
    expect((await readdir(node)).toSorted()).toEqual(['current', 'slots', 'staging']);
  });
});

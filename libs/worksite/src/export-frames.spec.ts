import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { framesOf, openDatasetFolder } from '@edgeloop/vision';
import { exportFrames } from './export-frames.ts';
import { sceneIdOfJpeg, Worksite } from './worksite.ts';

const made: string[] = [];

async function exported(seed = 1): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'worksite-'));
  made.push(folder);
  await exportFrames({ folder, frames: 6, seed, light: 'day', cameras: 3 });
  return folder;
}

async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const part of ['images', 'labels']) {
    for (const name of (await readdir(join(folder, part))).toSorted()) hash.update(name).update(await readFile(join(folder, part, name)));
  }
  return hash.digest('hex');
}

afterAll(() => Promise.all(made.map((folder) => rm(folder, { recursive: true }))));

describe('exported frames', () => {
  it('are a labelled dataset whose labels are the scenes truth', async () => {
    const folder = await exported();
    const dataset = await openDatasetFolder(folder);
    expect(dataset.classes).toEqual(['helmet', 'head']);
    expect(dataset.pictures).toHaveLength(6);
    for await (const frame of framesOf(dataset)) {
      const truth = await new Worksite().truthOfScene(sceneIdOfJpeg(frame.picture as Uint8Array)!);
      expect(frame.truth.map((box) => [box.classId, Math.round((box.cx - box.w / 2) * 480), Math.round(box.h * 360)])).toEqual(
        truth!.map((box) => [box.classId, box.x, box.h]),
      );
    }
  });

  it('are the same bytes for the same request', async () => {
    expect(await digestOf(await exported())).toBe(await digestOf(await exported()));
    expect(await digestOf(await exported(1))).not.toBe(await digestOf(await exported(2)));
  });
});

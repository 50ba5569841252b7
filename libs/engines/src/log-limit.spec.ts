import { open, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { limitLog } from './log-limit.ts';

describe('the log of a program', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgeloop-log-'));
    path = join(folder, 'program.log');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is left alone while it is short, and where there is none', async () => {
    expect(await limitLog(path, 10)).toBe(false);
    await writeFile(path, '0123456789');
    expect(await limitLog(path, 10)).toBe(false);
    expect(await readFile(path, 'utf8')).toBe('0123456789');
  });

  it('is put aside when it is too long, under a writer that goes on', async () => {
    const writer = await open(path, 'a');
    await writer.write('first lines\n');
    expect(await limitLog(path, 10)).toBe(true);
    await writer.write('then\n');
    await writer.close();
    expect(await readFile(path, 'utf8')).toBe('then\n');
    expect(await readFile(`${path}.1`, 'utf8')).toBe('first lines\n');
  });

  it('keeps no more than the part put aside last', async () => {
    for (const lines of ['the oldest lines\n', 'the newer lines\n']) {
      await writeFile(path, lines, { flag: 'a' });
      await limitLog(path, 10);
    }
    expect(await readFile(`${path}.1`, 'utf8')).toBe('the newer lines\n');
    expect((await stat(path)).size).toBe(0);
  });
});

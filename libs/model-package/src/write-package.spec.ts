import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sampleParts } from './testing/sample-parts.ts';
import { writePackage } from './write-package.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('./testing/write-main.ts', import.meta.url));

async function digestFromChild(environment: { TZ: string; umask: string; cwd: string }): Promise<string> {
  const node = `"${process.execPath}" --conditions=@edgeloop/source "${MAIN}"`;
  const { stdout } = await run('sh', ['-c', `umask ${environment.umask} && exec ${node}`], {
    cwd: environment.cwd,
    env: { ...process.env, TZ: environment.TZ, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' },
  });
  return stdout;
}

describe('the archive', () => {
  it('has the same bytes in whatever folder, time zone and umask it is written', async () => {
    const here = createHash('sha256')
      .update(await writePackage(sampleParts()))
      .digest('hex');
    const folder = await mkdtemp(join(tmpdir(), 'package-'));
    expect(await digestFromChild({ TZ: 'UTC', umask: '022', cwd: '/' })).toBe(here);
    expect(await digestFromChild({ TZ: 'Pacific/Kiritimati', umask: '077', cwd: folder })).toBe(here);
    expect(await digestFromChild({ TZ: 'America/St_Johns', umask: '000', cwd: folder })).toBe(here);
    await rm(folder, { recursive: true });
  });

  it('never changed its bytes: nodes and repositories know this package by this digest', async () => {
    const bytes = await writePackage(sampleParts());
    expect(createHash('sha256').update(bytes).digest('hex')).toBe('4256c489f7943630694526195865db8b5011bb5392c078a85bea1a9dea3ee9ef');
  });

  it('depends on nothing but its parts', async () => {
    const parts = sampleParts();
    const shuffled = JSON.parse(JSON.stringify(parts.manifest, Object.keys(flatten(parts.manifest)).reverse())) as typeof parts.manifest;
    expect((await writePackage({ ...parts, manifest: shuffled })).equals(await writePackage(parts))).toBe(true);
  });

  it('refuses parts that are not those of the manifest', async () => {
    const parts = sampleParts();
    await expect(writePackage({ ...parts, model: Buffer.from('other') })).rejects.toThrow('model.onnx has digest');
    await expect(writePackage({ ...parts, pictures: new Map() })).rejects.toThrow('names 1 golden pictures, 0 were given');
    const swapped = new Map([['golden/00.jpg', Buffer.from('other')]]);
    await expect(writePackage({ ...parts, pictures: swapped })).rejects.toThrow('golden/00.jpg has digest');
  });
});

/** Every key that occurs anywhere, for a replacer that reorders all levels. */
function flatten(value: unknown, into: Record<string, true> = {}): Record<string, true> {
  if (typeof value !== 'object' || value === null) return into;
  for (const [key, inner] of Object.entries(value)) {
    into[key] = true;
    flatten(inner, into);
  }
  return into;
}

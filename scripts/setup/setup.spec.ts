import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
// @ts-expect-error plain JavaScript without types
import { missingOptionals, systemOf } from '../complete-lock.mjs';
// @ts-expect-error plain JavaScript without types
import { DownloadCount } from './download-count.mjs';
// @ts-expect-error plain JavaScript without types
import { enginesNeeded } from './engines.mjs';
// @ts-expect-error plain JavaScript without types
import { explain } from './errors.mjs';
// @ts-expect-error plain JavaScript without types
import { uvEnvironment } from './installer.mjs';
// @ts-expect-error plain JavaScript without types
import { withLock } from './lock.mjs';
// @ts-expect-error plain JavaScript without types
import { installedMatchesLock } from './packages.mjs';
// @ts-expect-error plain JavaScript without types
import { hashOf, readStamp, writeStamp } from './stamps.mjs';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgeloop-setup-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('npm packages', () => {
  const lock = {
    packages: {
      '': { name: 'x' },
      'libs/a': { version: '1.0.0' },
      'node_modules/a': { link: true, resolved: 'libs/a' },
      'node_modules/b': { version: '2.0.0', integrity: 'sha512-b' },
      'node_modules/b-darwin-arm64': { version: '2.0.0', optional: true },
    },
  };
  const installed = (entry: object): object => ({ packages: { 'node_modules/b': entry } });

  it('are in place when the same versions with the same hashes lie there, whatever other systems need', () => {
    expect(installedMatchesLock(lock, installed({ version: '2.0.0', integrity: 'sha512-b' }))).toBe(true);
  });

  it('are not when one is missing, older or another file', () => {
    expect(installedMatchesLock(lock, { packages: {} })).toBe(false);
    expect(installedMatchesLock(lock, installed({ version: '1.9.0', integrity: 'sha512-b' }))).toBe(false);
    expect(installedMatchesLock(lock, installed({ version: '2.0.0', integrity: 'sha512-other' }))).toBe(false);
    expect(installedMatchesLock(lock, undefined)).toBe(false);
    expect(installedMatchesLock({ packages: {} }, installed({ version: '2.0.0' }))).toBe(false);
  });

  it('of other systems that npm dropped from the lock are found again', () => {
    const owner = {
      version: '1.0.0',
      dev: true,
      optionalDependencies: { 'x-linux-x64-gnu': '1.0.0', '@x/darwin-arm64': '1.0.0', 'x-range': '^1.0.0' },
    };
    const found = missingOptionals({ packages: { 'node_modules/x': owner, 'node_modules/x-linux-x64-gnu': { version: '1.0.0' } } });
    expect(found).toEqual({
      'node_modules/@x/darwin-arm64': { version: '1.0.0', os: ['darwin'], cpu: ['arm64'], optional: true, dev: true },
    });
    expect(systemOf('x-linux-arm-musleabihf')).toEqual({ os: ['linux'], cpu: ['arm'], libc: ['musl'] });
    expect(systemOf('@img/sharp-linuxmusl-x64')).toEqual({ os: ['linux'], cpu: ['x64'], libc: ['musl'] });
    expect(systemOf('left-pad')).toBeUndefined();
  });

  it('are all in the lock of this repository: npm ci takes it', () => {
    const path = fileURLToPath(new URL('../../package-lock.json', import.meta.url));
    expect(missingOptionals(JSON.parse(readFileSync(path, 'utf8')))).toEqual({});
  });
});

describe('a failed installer', () => {
  it.each([
    ['npm error code ENOSPC\nnpm error nospc There appears to be insufficient space', 'the disk is full'],
    ['OSError: [Errno 28] No space left on device', 'the disk is full'],
    ['/usr/bin/python3: No module named pip', 'has no pip'],
    ['ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. Expected sha256 abc Got def', 'hash differs'],
    ['npm error code EINTEGRITY', 'hash differs'],
    ["Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')", 'cannot be reached'],
    ['npm error code ENOTFOUND', 'cannot be reached'],
    ['ERROR: No matching distribution found for torch==2.15.0', 'Python 3.10 to 3.14'],
    ['EACCES: permission denied, mkdir', 'not writable'],
  ])('is explained: %s', (output, told) => {
    expect(explain(output)).toContain(told);
  });

  it('that nobody knows is quoted', () => {
    expect(explain('doing things\nerror: the moon is full\ncleaning up\n')).toContain('error: the moon is full');
    expect(explain('npm error ENOTEMPTY: rmdir x\nnpm error A complete log of this run can be found in: /x/y.log\n')).toContain('rmdir x');
    expect(explain('')).toContain('without a word');
  });
});

describe('one set-up at a time', () => {
  it('waits for another, and tells once for whom', async () => {
    const path = join(folder, 'lock');
    const order: string[] = [];
    let release = (): void => undefined;
    const first = withLock(
      path,
      () => undefined,
      () => new Promise<void>((resolve) => (release = resolve)),
    ).then(() => order.push('first'));
    const waitedFor: number[] = [];
    const second = withLock(
      path,
      (pid: number) => (waitedFor.push(pid), release()),
      async () => order.push('second'),
    );
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
    expect(waitedFor).toEqual([process.pid]);
  });

  it.each(['999999999', '', 'rubbish'])('takes over a lock that a killed one left (%j)', async (content) => {
    const path = join(folder, 'lock');
    writeFileSync(path, content);
    expect(
      await withLock(
        path,
        () => undefined,
        async () => 'done',
      ),
    ).toBe('done');
  });

  it('gives the lock back when its task fails', async () => {
    const path = join(folder, 'lock');
    await expect(
      withLock(
        path,
        () => undefined,
        async () => Promise.reject(new Error('no')),
      ),
    ).rejects.toThrow('no');
    expect(
      await withLock(
        path,
        () => undefined,
        async () => 'done',
      ),
    ).toBe('done');
  });
});

describe('stamps', () => {
  it('are read back, and half a one counts as none', () => {
    const path = join(folder, 'stamps', 'x.json');
    expect(readStamp(path)).toBeUndefined();
    writeStamp(path, 'abc', { paths: { a: '/b' } });
    expect(readStamp(path)).toEqual({ hash: 'abc', paths: { a: '/b' } });
    writeFileSync(path, '{"hash":"ab');
    expect(readStamp(path)).toBeUndefined();
  });

  it('tell parts apart, not only their sum', () => {
    expect(hashOf('ab', 'c')).not.toBe(hashOf('a', 'bc'));
  });
});

describe('engines', () => {
  it('are needed to start unless both servers are your own, and always to test', () => {
    expect(enginesNeeded('start', {})).toBe(true);
    expect(enginesNeeded('start', { NATS_URL: 'nats://x' })).toBe(true);
    expect(enginesNeeded('start', { NATS_URL: 'nats://x', S3_ENDPOINT: 'https://s3' })).toBe(false);
    expect(enginesNeeded('test', { NATS_URL: 'nats://x', S3_ENDPOINT: 'https://s3' })).toBe(true);
  });
});

describe('downloads', () => {
  it('are counted in megabytes as uv tells them', () => {
    const told: string[] = [];
    const count = new DownloadCount((text: string) => told.push(text));
    for (const line of [
      'Resolved 35 packages in 688ms',
      'Downloading torch (514.2MiB)',
      'Downloading numpy (16.1MiB)',
      'Downloading x (512.0KiB)',
      'Downloaded numpy',
    ])
      count.take(line);
    expect(told).toEqual(['514 MB to load', '530 MB to load', '531 MB to load', '16 of 531 MB']);
  });

  it('are announced as pip tells them', () => {
    const told: string[] = [];
    new DownloadCount((text: string) => told.push(text)).take('Downloading torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl (514.2 MB)');
    expect(told).toEqual(['514 MB to load']);
  });

  it('use the index and certificates that pip was told of', () => {
    const env = { PIP_INDEX_URL: 'https://mirror/simple', PIP_CERT: '/ca.pem', PATH: '/bin' };
    expect(uvEnvironment(env)).toMatchObject({ UV_DEFAULT_INDEX: 'https://mirror/simple', SSL_CERT_FILE: '/ca.pem', PATH: '/bin' });
    expect(uvEnvironment({ ...env, UV_DEFAULT_INDEX: 'https://own' })).toMatchObject({ UV_DEFAULT_INDEX: 'https://own' });
  });
});

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
// @ts-expect-error plain JavaScript without types
import * as choice from './python-choice.mjs';

const found = (command: string, version: number[], pip = true): object => ({ command, version, pip });
const example = (name: string): string => readFileSync(fileURLToPath(new URL(`../../examples/hardhat/${name}`, import.meta.url)), 'utf8');

describe('which Python', () => {
  it('is asked in this order, each once', () => {
    expect(choice.candidates({})).toEqual(['python3', '/usr/bin/python3']);
    expect(choice.candidates({ EDGELOOP_PYTHON: '/opt/python' })).toEqual(['/opt/python', 'python3', '/usr/bin/python3']);
    expect(choice.candidates({ EDGELOOP_PYTHON: '/usr/bin/python3' })).toEqual(['/usr/bin/python3', 'python3']);
  });

  it('is installed for: the first with pip and a version that has packages', () => {
    expect(choice.installable([found('a', [3, 9]), found('b', [3, 11], false), found('c', [3, 12])])).toMatchObject({ command: 'c' });
    expect(choice.installable([found('a', [3, 10])])).toMatchObject({ command: 'a' });
    expect(choice.installable([found('a', [3, 14])])).toMatchObject({ command: 'a' });
    expect(choice.installable([found('a', [3, 9]), found('b', [3, 15])])).toBeUndefined();
  });

  it('is missing: says so and what to do', () => {
    expect(choice.whyNone([])).toMatch(/no Python 3 found: install Python 3.10 to 3.14 with pip .*EDGELOOP_PYTHON/);
    expect(choice.whyNone([found('python3', [3, 12], false)])).toMatch(/python3 is 3.12 without pip: install pip/);
    expect(choice.whyNone([found('python3', [3, 8])])).toMatch(/python3 is 3.8: training needs Python 3.10 to 3.14/);
  });
});

describe('what is installed', () => {
  const lock = `torch==2.15.0 ; python_full_version >= '3.11' \\
    --hash=sha256:aa
torch==2.14.1 ; python_full_version < '3.11' \\
    --hash=sha256:bb
numpy==2.4.6 ; python_full_version == '3.11.*' \\
    --hash=sha256:cc
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:dd
triton==3.9.0 ; python_full_version >= '3.11' and python_full_version < '3.16' \\
    --hash=sha256:ee
`;

  it('is the lock without what is dropped, hashes included', () => {
    const slim: string = choice.lockWithout(lock, (name: string) => name === 'triton');
    expect(slim).not.toMatch(/triton|ee/);
    expect(slim.match(/--hash=/g)).toHaveLength(4);
    expect(choice.lockWithout(lock, () => false)).toBe(lock);
  });

  it('depends on the Python version', () => {
    expect(choice.lockedVersion(lock, 'torch', [3, 10])).toBe('2.14.1');
    expect(choice.lockedVersion(lock, 'torch', [3, 13])).toBe('2.15.0');
    expect(choice.lockedVersion(lock, 'numpy', [3, 11])).toBe('2.4.6');
    expect(choice.lockedVersion(lock, 'numpy', [3, 14])).toBe('2.5.5');
    expect(choice.lockedVersion(lock, 'pandas', [3, 11])).toBeUndefined();
  });

  it('is locked by hash, every package, and holds what the requirements ask for', () => {
    const blocks = choice.lockBlocks(example('requirements.lock.txt')) as { name: string; text: string }[];
    expect(blocks.length).toBeGreaterThan(20);
    for (const { text } of blocks) expect(text).toMatch(/--hash=sha256:[0-9a-f]{64}/);
    const pins = example('requirements.txt')
      .split('\n')
      .filter((line) => /^[a-z]/.test(line))
      .map((line) => line.split(';')[0]?.trim());
    expect(pins.length).toBeGreaterThan(4);
    for (const pin of pins) expect(blocks.some(({ text }) => text.startsWith(`${pin} `))).toBe(true);
  });

  it('is the small CPU wheel only on Linux on x86-64 without a GPU', () => {
    expect(choice.mayUseCpuIndex({ platform: 'linux', arch: 'x64', gpu: false })).toBe(true);
    expect(choice.mayUseCpuIndex({ platform: 'linux', arch: 'x64', gpu: true })).toBe(false);
    expect(choice.mayUseCpuIndex({ platform: 'darwin', arch: 'arm64', gpu: false })).toBe(false);
  });
});

describe('room on the disk', () => {
  const GIB = 2 ** 30;

  it('is more for CUDA wheels than for others, and most with a GPU', () => {
    const room = (facts: object): number => choice.roomNeeded({ platform: 'linux', gpu: false, cpuIndex: false, ...facts });
    expect(room({ gpu: true })).toBeGreaterThan(room({}));
    expect(room({})).toBeGreaterThan(room({ cpuIndex: true }));
    expect(room({ platform: 'darwin' })).toBe(2 * GIB);
  });

  it('is enough exactly at the limit, and else the line says how much is missing where', () => {
    expect(choice.whyNoRoom({ home: '/data', free: 5 * GIB, needed: 5 * GIB })).toBeUndefined();
    expect(choice.whyNoRoom({ home: '/data', free: 1.5 * GIB, needed: 5 * GIB })).toMatch(
      /1\.5 GiB free where \/data lies, and PyTorch needs 5\.0.*EDGELOOP_HOME/,
    );
  });
});

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EngineStartError, PortInUseError, ProgramStartError } from '@edgeloop/engines';
import { UsageError } from './errors.ts';
import { failureLine, recordFailure } from './failure.ts';

const log = (...lastLines: string[]) => ({ path: '/data/logs/part.log', lastLines });

describe('the line of a failure', () => {
  it('is the last words of the program that did not start', () => {
    const failure = new ProgramStartError(
      'trainer',
      'it ended with 1',
      log('{"level":60}', 'trainer: python.json names no Python: run set-up'),
    );
    expect(failureLine(failure)).toBe('trainer: python.json names no Python: run set-up');
  });

  it('names the log of a program that said nothing of its own', () => {
    const failure = new ProgramStartError('fleet', 'it was not ready within 60000 ms', log('at main.js:3', 'Node.js v24'));
    expect(failureLine(failure)).toBe('fleet did not start: it was not ready within 60000 ms; see /data/logs/part.log');
  });

  it('says whose port is in use, and what to do', () => {
    const failure = new ProgramStartError('fleet', 'it ended', log('fleet: listen EADDRINUSE: address already in use 127.0.0.1:80'));
    expect(failureLine(failure)).toMatch(/^fleet: 127\.0\.0\.1:80 is used by another program: stop that one/);
    expect(failureLine(new PortInUseError('weed', [8333], ['bind: address already in use']))).toMatch(
      /^weed cannot listen: .* 8333 .* Stop/,
    );
  });

  it.each([
    Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
    new EngineStartError('nats-server', 'it ended with 1', log('[FTL] mkdir /data/js: no space left on device')),
    new Error('cannot be stored', { cause: new Error('put failed', { cause: new Error('ENOSPC') }) }),
  ])('says that the disk is full, however deep that lies: %s', (failure) => {
    expect(failureLine(failure, '/data')).toMatch(/^the disk of \/data is full: make room there/);
  });

  it('is one line, whatever the message', () => {
    expect(failureLine(new Error('first\n  second\n\nthird'))).toBe('first second third');
    expect(failureLine('a word')).toBe('a word');
    expect(failureLine(new Error('x'.repeat(10_000))).length).toBeLessThan(500);
  });
});

describe('the record of a failure', () => {
  it('keeps the whole cause, and points to it where the line does not say what to do', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'edgeloop-failure-'));
    try {
      const places = { home: folder, logPath: join(folder, 'logs', 'failure.log') };
      const failure = new Error('it broke', { cause: new Error('deep inside') });
      expect(await recordFailure(failure, places)).toBe(`it broke (the whole cause: ${places.logPath})`);
      expect(await readFile(places.logPath, 'utf8')).toContain('deep inside');
      expect(await recordFailure(new UsageError('give another name'), places)).toBe('give another name');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('does without where nothing can be written', async () => {
    expect(await recordFailure(new Error('it broke'), { home: '/dev/null', logPath: '/dev/null/failure.log' })).toBe('it broke');
  });
});

import { describe, expect, it } from '@jest/globals';
import { patiently } from './patience.ts';

const { signal } = new AbortController();
const away = (): Error => Object.assign(new Error('away'), { retryable: true });

/** Work that fails `times` times. */
function failing(times: number, cause = away): { work: () => Promise<string>; tries: () => number } {
  let tries = 0;
  const work = async (): Promise<string> => {
    tries += 1;
    if (tries <= times) throw cause();
    return 'done';
  };
  return { work, tries: () => tries };
}

describe('patience', () => {
  it('tries again what fails for a time, and tells of each failure', async () => {
    const { work, tries } = failing(1);
    const told: unknown[] = [];
    await expect(patiently(work, { now: () => 0, until: 1, signal, onFailure: (cause) => told.push(cause) })).resolves.toBe('done');
    expect([tries(), told.length]).toEqual([2, 1]);
  });

  it('does not try again what will not succeed', async () => {
    const { work, tries } = failing(9, () => Object.assign(new Error('forbidden'), { retryable: false }));
    await expect(patiently(work, { now: () => 0, until: 1, signal, onFailure: () => undefined })).rejects.toThrow('forbidden');
    expect(tries()).toBe(1);
  });

  it('ends when its time is over, with the last failure', async () => {
    const { work, tries } = failing(9);
    let now = 0;
    await expect(patiently(work, { now: () => (now += 10), until: 30, signal, onFailure: () => undefined })).rejects.toThrow('away');
    expect(tries()).toBe(2);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const { work, tries } = failing(9);
    const waiting = patiently(work, { now: () => 0, until: 1e9, signal: stop.signal, onFailure: () => stop.abort() });
    await expect(waiting).rejects.toThrow('away');
    expect(tries()).toBe(2);
  });
});

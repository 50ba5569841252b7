import { describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';
import { createLogger } from './log.ts';
import { repeat } from './repeat.ts';

const log = createLogger('spec', 'silent');
const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;

describe('a repeated task', () => {
  it('runs again after a run that failed, whether it rejects or throws', async () => {
    let runs = 0;
    const run = (): Promise<void> => {
      runs += 1;
      if (runs === 1) throw new Error('thrown');
      return runs === 2 ? Promise.reject(new Error('rejected')) : Promise.resolve();
    };
    const repeating = repeat({ name: 'spec', everyMs: 1, run }, log);
    await eventually(() => expect(runs).toBeGreaterThan(3));
    await repeating.stop();
  });

  it('runs one after the other, and stops only when the last run is over', async () => {
    let running = 0;
    let most = 0;
    const run = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running -= 1;
    };
    const repeating = repeat({ name: 'spec', everyMs: 1, run }, log);
    await eventually(() => expect(running).toBe(1));
    await repeating.stop();
    expect([running, most]).toEqual([0, 1]);
  });

  it('starts at once when asked to, and then keeps a pause of any length', async () => {
    let runs = 0;
    const repeating = repeat({ name: 'spec', everyMs: FOR_EVER_MS, startsAtOnce: true, run: () => Promise.resolve(++runs) }, log);
    await eventually(() => expect(runs).toBe(1));
    // A pause too long for a timer would be none at all: many more runs would fit in here.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(runs).toBe(1);
    await repeating.stop();
  });

  it('never starts when it is stopped before its first pause is over', async () => {
    let runs = 0;
    await repeat({ name: 'spec', everyMs: FOR_EVER_MS, run: () => Promise.resolve(++runs) }, log).stop();
    expect(runs).toBe(0);
  });
});

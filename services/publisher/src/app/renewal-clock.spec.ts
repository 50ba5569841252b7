import { describe, expect, it } from '@jest/globals';
import { createLogger } from '@edgeloop/runtime';
import { eventually } from '@edgeloop/testkit';
import { RenewalClock } from './renewal-clock.ts';

const log = createLogger('spec', 'silent');

describe('the clock of signatures', () => {
  it('looks at once, and goes on after a look that failed', async () => {
    let looks = 0;
    const renew = (): Promise<boolean> => (++looks === 1 ? Promise.reject(new Error('the store is away')) : Promise.resolve(true));
    const clock = new RenewalClock({ renew }, 5, log);
    clock.start();
    expect(looks).toBe(0);
    await eventually(() => expect(looks).toBeGreaterThan(2));
    await clock.stop();
  });

  it('looks one after the other, and stops only when the last look is over', async () => {
    let running = 0;
    let most = 0;
    const renew = async (): Promise<boolean> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running -= 1;
      return false;
    };
    const clock = new RenewalClock({ renew }, 1, log);
    clock.start();
    await eventually(() => expect(running).toBe(1));
    await clock.stop();
    expect([running, most]).toEqual([0, 1]);
  });
});

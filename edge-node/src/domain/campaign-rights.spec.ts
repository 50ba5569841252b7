import { SAMPLES_PER_GRANT_MAX } from '@edgeloop/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ASK_PAUSE_MIN_MS, granted, isRefused, NOTHING_SAID, refused, samplesLeft, spent } from './campaign-rights.ts';
import type { CampaignRights, NoRights } from './campaign-rights.ts';

const at = (nowMs: number, retryAfterMs = 60_000) => ({ nowMs, retryAfterMs });

describe('what a node knows of its rights in a campaign', () => {
  it('has no end before the collector has said anything, nor where it takes as many as one grant can say', () => {
    expect(samplesLeft(NOTHING_SAID, 0)).toBeNull();
    expect(samplesLeft(granted(SAMPLES_PER_GRANT_MAX), 0)).toBeNull();
    expect(samplesLeft(spent(granted(SAMPLES_PER_GRANT_MAX)), 0)).toBeNull();
    expect(samplesLeft(granted(SAMPLES_PER_GRANT_MAX - 1), 0)).toBe(SAMPLES_PER_GRANT_MAX - 1);
  });

  it('a spent budget stays spent when it is time to ask again', () => {
    const rights = refused(granted(5), 'budget-spent', at(0));
    expect([samplesLeft(rights, 0), samplesLeft(rights, 1e9)]).toEqual([0, 0]);
    expect([isRefused(rights, 59_999), isRefused(rights, 60_000)]).toEqual([true, false]);
  });

  it.each(['campaign-closed', 'node-unknown'] as const)('%s asks for no frames until it is time to ask again', (reason) => {
    const rights = refused(NOTHING_SAID, reason, at(0));
    expect([samplesLeft(rights, 59_999), samplesLeft(rights, 60_000)]).toEqual([0, null]);
  });

  it.each(['not-ready', 'unusable'] as const)('%s says nothing about how many are wanted', (reason) => {
    expect(samplesLeft(refused(granted(3), reason, at(0)), 0)).toBe(3);
    expect(samplesLeft(refused(NOTHING_SAID, reason, at(0)), 0)).toBeNull();
  });

  it('pauses between two questions, also where the answer asks for none', () => {
    const rights = refused(NOTHING_SAID, 'not-ready', at(10, 0));
    expect([isRefused(rights, 10 + ASK_PAUSE_MIN_MS - 1), isRefused(rights, 10 + ASK_PAUSE_MIN_MS)]).toEqual([true, false]);
  });

  it('never lets through more than the last grant said, whatever comes in between', () => {
    const refusal = fc.constantFrom<NoRights>('campaign-closed', 'budget-spent', 'node-unknown', 'not-ready', 'unusable');
    const step = fc.oneof(fc.constant('upload' as const), refusal, fc.nat(40));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let rights: CampaignRights = NOTHING_SAID;
        let told: number | null = null;
        let uploads = 0;
        for (const [index, each] of steps.entries()) {
          if (typeof each === 'number') [rights, told, uploads] = [granted(each), each, 0];
          else if (each !== 'upload') rights = refused(rights, each, at(index));
          else if (samplesLeft(rights, index) !== 0) [rights, uploads] = [spent(rights), uploads + 1];
          if (told !== null) expect(uploads).toBeLessThanOrEqual(told);
          expect(samplesLeft(rights, index) ?? 0).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

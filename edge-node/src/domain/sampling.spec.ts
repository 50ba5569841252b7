import type { SamplingPolicy } from '@edgeloop/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashDistance } from './hash-distance.ts';
import { sampleValue } from './sample-value.ts';
import { bandsOf, countKept, decideSample, emptyLimiter, limiterFor, RATE_WINDOW_MS } from './sampling.ts';
import type { FrameFacts, LimiterState } from './sampling.ts';

const limits = { probability: 1, perMinuteMax: 600 };
const uncertain = { kind: 'uncertain', name: 'unsure', low: 0.2, high: 0.5, ...limits } as const;
const empty = { kind: 'empty', name: 'empty', ...limits } as const;
const dark = { kind: 'dark', name: 'dark', brightnessBelow: 0.3, ...limits } as const;
const random = { kind: 'random', name: 'any', ...limits } as const;

const policyOf = (rules: SamplingPolicy['rules'], rest: Partial<SamplingPolicy> = {}): SamplingPolicy => ({
  policyId: 'p',
  version: 1,
  rules,
  nearDuplicateBits: 0,
  samplesMax: null,
  ...rest,
});
const facts = (rest: Partial<FrameFacts> = {}): FrameFacts => ({
  atMs: 0,
  dhash: '0000000000000000',
  brightness: 0.5,
  alarms: 1,
  candidatesPerBand: [],
  ...rest,
});
const fresh = (policy: SamplingPolicy): LimiterState => emptyLimiter({ campaignId: 'c', policy });
const decide = (policy: SamplingPolicy, of: FrameFacts, chance = 0, limiter: LimiterState = fresh(policy)) =>
  decideSample({ policy, facts: of, limiter, room: null, chance });

describe('a sampling rule', () => {
  it('uncertain: matches when a raw candidate lies in its own band', () => {
    const policy = policyOf([{ ...uncertain, name: 'low', low: 0.1, high: 0.2 }, uncertain]);
    expect(bandsOf(policy)).toEqual([
      { low: 0.1, high: 0.2 },
      { low: 0.2, high: 0.5 },
    ]);
    expect(decide(policy, facts({ candidatesPerBand: [0, 3] }))).toMatchObject({ keep: true, rule: { name: 'unsure' } });
    expect(decide(policy, facts({ candidatesPerBand: [0, 0] }))).toEqual({ keep: false, why: 'no-rule-matched' });
  });

  it('empty: matches when nothing reached the alarm threshold, whatever the candidates', () => {
    expect(decide(policyOf([empty]), facts({ alarms: 0, candidatesPerBand: [] })).keep).toBe(true);
    expect(decide(policyOf([empty]), facts({ alarms: 1 })).keep).toBe(false);
  });

  it('dark: matches below the bound, not at it', () => {
    expect(decide(policyOf([dark]), facts({ brightness: 0.299 })).keep).toBe(true);
    expect(decide(policyOf([dark]), facts({ brightness: 0.3 })).keep).toBe(false);
  });

  it('gives its probability as the inclusion probability, and the chance decides', () => {
    const policy = policyOf([{ ...random, probability: 0.25 }]);
    expect(decide(policy, facts(), 0.2499)).toMatchObject({ keep: true, inclusionProbability: 0.25 });
    expect(decide(policy, facts(), 0.25)).toEqual({ keep: false, why: 'chance' });
  });

  it('that decided against a frame does not pass it on to the next rule', () => {
    expect(decide(policyOf([{ ...empty, probability: 0.1 }, random]), facts({ alarms: 0 }), 0.5)).toEqual({ keep: false, why: 'chance' });
  });

  it('that is at its limit lets the next one decide', () => {
    const policy = policyOf([{ ...empty, perMinuteMax: 1 }, random]);
    const limiter = countKept(fresh(policy), { rule: 'empty', atMs: 0, dhash: 'f'.repeat(16) });
    expect(decide(policy, facts({ alarms: 0, atMs: RATE_WINDOW_MS - 1 }), 0, limiter)).toMatchObject({ keep: true, rule: { name: 'any' } });
    expect(decide(policy, facts({ alarms: 0, atMs: RATE_WINDOW_MS }), 0, limiter)).toMatchObject({ keep: true, rule: { name: 'empty' } });
  });
});

describe('near-duplicates', () => {
  const policy = policyOf([random], { nearDuplicateBits: 4 });
  const limiter = countKept(fresh(policy), { rule: 'any', atMs: 0, dhash: '0000000000000000' });

  it('counts differing bits', () => {
    expect(hashDistance('0000000000000000', 'f000000000000001')).toBe(5);
    expect(hashDistance('0123456789abcdef', '0123456789abcdef')).toBe(0);
  });

  it('are dropped when nearer than the bound, kept at it', () => {
    expect(decide(policy, facts({ dhash: '0000000000000007' }), 0, limiter)).toEqual({ keep: false, why: 'near-duplicate' });
    expect(decide(policy, facts({ dhash: '000000000000000f' }), 0, limiter).keep).toBe(true);
  });

  it('are kept where the policy asks for none to be dropped', () => {
    expect(decide(policyOf([random]), facts(), 0, limiter).keep).toBe(true);
  });
});

describe('the budget of a campaign', () => {
  it('ends with samplesMax', () => {
    const policy = policyOf([random], { samplesMax: 1 });
    const limiter = countKept(fresh(policy), { rule: 'any', atMs: 0, dhash: '0'.repeat(16) });
    expect(decide(policy, facts({ atMs: 1e9 }), 0, limiter)).toEqual({ keep: false, why: 'samples-max' });
  });

  it('ends with what the collector takes, exactly then', () => {
    const policy = policyOf([random]);
    const with_ = (room: number | null) => decideSample({ policy, facts: facts(), limiter: fresh(policy), room, chance: 0 });
    expect([with_(null).keep, with_(1).keep]).toEqual([true, true]);
    for (const room of [0, -1]) expect(with_(room)).toEqual({ keep: false, why: 'collector-has-enough' });
  });

  it('goes on when the campaign is announced anew, and so do its rates', () => {
    const policy = policyOf([{ ...random, perMinuteMax: 1 }], { samplesMax: 2 });
    const limiter = countKept(fresh(policy), { rule: 'any', atMs: 0, dhash: '0'.repeat(16) });
    const anew = { ...policy, version: 2 };
    const next = limiterFor({ campaignId: 'c', policy: anew }, limiter);
    expect(next).toEqual({ ...limiter, version: 2 });
    expect(limiterFor({ campaignId: 'c', policy }, limiter)).toBe(limiter);
    expect(decide(anew, facts(), 0, next)).toEqual({ keep: false, why: 'rate-limit' });
    const spentAll = countKept(next, { rule: 'any', atMs: 0, dhash: '1'.repeat(16) });
    expect(decide(anew, facts({ atMs: 1e9 }), 0, spentAll)).toEqual({ keep: false, why: 'samples-max' });
  });

  it('starts anew with another campaign, which still knows the pictures of the same policy', () => {
    const policy = policyOf([random], { samplesMax: 1 });
    const limiter = countKept(fresh(policy), { rule: 'any', atMs: 0, dhash: '0'.repeat(16) });
    expect(limiterFor({ campaignId: 'd', policy: { ...policy, version: 2 } }, limiter)).toEqual({
      ...emptyLimiter({ campaignId: 'd', policy: { ...policy, version: 2 } }),
      hashes: ['0'.repeat(16)],
    });
    expect(limiterFor({ campaignId: 'd', policy: { ...policy, policyId: 'q' } }, limiter).hashes).toEqual([]);
  });

  it('holds for any frames, however often the campaign is announced anew in between', () => {
    const step = fc.record({ campaign: fc.constantFrom('c', 'c', 'd'), bump: fc.boolean(), gapMs: fc.nat(90_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let policy = policyOf([random], { samplesMax: 5 });
        let atMs = 0;
        const states = new Map<string, LimiterState>();
        const kept = new Map<string, number>();
        for (const { campaign, bump, gapMs } of steps) {
          if (bump) policy = { ...policy, version: policy.version + 1 };
          atMs += gapMs;
          const limiter = limiterFor({ campaignId: campaign, policy }, states.get(campaign));
          const decision = decide(policy, facts({ atMs }), 0, limiter);
          states.set(campaign, decision.keep ? countKept(limiter, { rule: 'any', atMs, dhash: '0'.repeat(16) }) : limiter);
          if (decision.keep) kept.set(campaign, (kept.get(campaign) ?? 0) + 1);
        }
        for (const id of ['c', 'd']) expect(kept.get(id) ?? 0).toBe(Math.min(5, steps.filter(({ campaign }) => campaign === id).length));
      }),
    );
  });

  it('and its rates hold for any stream of frames', () => {
    const frame = fc.record({
      gapMs: fc.integer({ min: 0, max: 20_000 }),
      alarms: fc.integer({ min: 0, max: 1 }),
      chance: fc.double({ min: 0, max: 0.999 }),
    });
    const policy = policyOf(
      [
        { ...empty, perMinuteMax: 2, probability: 0.7 },
        { ...random, perMinuteMax: 3 },
      ],
      { samplesMax: 17 },
    );
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 200 }), (frames) => {
        let limiter = fresh(policy);
        let atMs = 0;
        const kept: { rule: string; atMs: number }[] = [];
        for (const { gapMs, alarms, chance } of frames) {
          atMs += gapMs;
          const decision = decide(policy, facts({ atMs, alarms }), chance, limiter);
          if (!decision.keep) continue;
          kept.push({ rule: decision.rule.name, atMs });
          limiter = countKept(limiter, { rule: decision.rule.name, atMs, dhash: '0'.repeat(16) });
        }
        expect(kept.length).toBeLessThanOrEqual(17);
        for (const rule of policy.rules) {
          for (const { atMs: end } of kept) {
            const inMinute = kept.filter((one) => one.rule === rule.name && one.atMs <= end && one.atMs > end - RATE_WINDOW_MS);
            expect(inMinute.length).toBeLessThanOrEqual(rule.perMinuteMax);
          }
        }
      }),
    );
  });
});

describe('the value of a kept frame', () => {
  it('puts the random slice first and the empty frames last, and the rarer before the more common', () => {
    const order = (['random', 'uncertain', 'dark', 'empty'] as const).map((kind) => sampleValue(kind, 1));
    expect(order).toEqual(order.toSorted((a, b) => b - a));
    expect(sampleValue('uncertain', 0.1)).toBeGreaterThan(sampleValue('uncertain', 0.9));
    expect(sampleValue('uncertain', 0.01)).toBeLessThan(sampleValue('random', 1));
  });
});

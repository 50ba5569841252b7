import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { moveChannel, type Channel } from './channel.ts';
import { REFUSALS_KEPT, claim, holds, isPublished, publish, refuse, type Candidate, type Release, type ReleaseEvent } from './release.ts';

const AT = '2026-11-02T00:00:00.000Z';
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const candidate = (digit: string): Candidate => ({
  releaseId: 'hardhat-v1',
  packageId: `pkg-${digit}`,
  runId: `run-${digit}`,
  name: 'hardhat',
  version: 'v1',
  channel: 'production',
  targetPath: 'hardhat/hardhat-v1.zip',
  packageDigest: digest(digit),
  packageBytes: 10,
  modelDigest: digest('f'),
  model: { bucket: 'runs', key: 'k', digest: digest('f'), bytes: 5 },
  classes: ['helmet'],
});

describe('a version of a model', () => {
  it('belongs to the first package that claims it', () => {
    const claimed = claim(undefined, candidate('a'));
    expect(claimed).toEqual({ release: { releaseId: 'hardhat-v1', refused: [], holder: candidate('a') }, events: [] });
    expect(claim(claimed?.release, candidate('a'))).toBeUndefined();
    const second = claim(claimed?.release, candidate('b'));
    expect(second?.release.holder?.packageId).toBe('pkg-a');
    expect(second?.events).toMatchObject([{ type: 'refused', id: 'release.refused/hardhat-v1/pkg-b', cause: 'version-taken' }]);
    expect(second?.events[0]).toMatchObject({ reason: expect.stringContaining(digest('a')) });
  });

  it('tells each refused package once', () => {
    const why = { cause: 'archive-damaged', reason: 'a byte was changed' } as const;
    const first = refuse(undefined, candidate('a'), why);
    expect(first?.events).toHaveLength(1);
    expect(refuse(first?.release, candidate('a'), why)).toBeUndefined();
    expect(refuse(first?.release, candidate('b'), why)?.events).toHaveLength(1);
  });

  it('stays free when all that asked for it were refused', () => {
    const release = refuse(undefined, candidate('a'), { cause: 'archive-missing', reason: 'gone' })?.release;
    expect(claim(release, candidate('b'))?.release.holder?.packageId).toBe('pkg-b');
  });

  it('remembers refusals up to a limit', () => {
    let release: Release | undefined;
    for (let index = 0; index < REFUSALS_KEPT + 5; index += 1)
      release = refuse(release, { releaseId: 'hardhat-v1', packageId: `pkg-${index}` }, { cause: 'archive-damaged', reason: 'x' })?.release;
    expect(release?.refused).toHaveLength(REFUSALS_KEPT);
  });

  it('is published once, by its holder alone', () => {
    expect(publish(undefined, digest('a'), AT)).toBeUndefined();
    const claimed = claim(undefined, candidate('a'))?.release;
    expect(publish(claimed, digest('b'), AT)).toBeUndefined();
    const published = publish(claimed, digest('a'), AT);
    expect(published?.events).toEqual([{ type: 'published', id: 'release.published/hardhat-v1', holder: candidate('a') }]);
    expect(publish(published?.release, digest('a'), AT)).toBeUndefined();
    expect(isPublished(published?.release, digest('a'))).toBe(true);
    expect(isPublished(published?.release, digest('b'))).toBe(false);
    expect(holds(claimed, digest('a')) && !holds(claimed, digest('b'))).toBe(true);
  });

  it('never changes hands and never says the same twice, whatever comes in whatever order', () => {
    const step = fc.record({ digit: fc.constantFrom('a', 'b', 'c'), kind: fc.constantFrom('claim', 'publish', 'refuse') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let release: Release | undefined;
        const told: ReleaseEvent[] = [];
        let holder: string | undefined;
        for (const { digit, kind } of steps) {
          const why = { cause: 'archive-damaged', reason: 'x' } as const;
          const decided =
            kind === 'claim'
              ? claim(release, candidate(digit))
              : kind === 'publish'
                ? publish(release, digest(digit), AT)
                : refuse(release, candidate(digit), why);
          if (decided === undefined) continue;
          release = decided.release;
          told.push(...decided.events);
          holder ??= release.holder?.packageId;
          expect(release.holder?.packageId).toBe(holder);
        }
        expect(new Set(told.map((event) => event.id)).size).toBe(told.length);
      }),
    );
  });
});

describe('a channel', () => {
  const at = (version: string, name = 'hardhat'): Channel => ({ channel: 'production', releaseId: `${name}-${version}`, name, version });

  it('moves to newer versions only, counted as numbers', () => {
    expect(moveChannel(undefined, at('v1'))).toEqual(at('v1'));
    expect(moveChannel(at('v9'), at('v10'))).toEqual(at('v10'));
    expect(moveChannel(at('v10'), at('v9'))).toBeUndefined();
    expect(moveChannel(at('v10'), at('v10'))).toBeUndefined();
  });

  it('may be given to another model', () => {
    expect(moveChannel(at('v9'), at('v1', 'people'))).toEqual(at('v1', 'people'));
  });
});

import { describe, expect, it } from '@jest/globals';
import type { PackageManifest } from '@edgeloop/contracts';
import { REASON_CHARACTERS_MAX, decide, packageIdOf, refused, refusedIdOf, type Built } from './packaging.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const built: Built = { kind: 'built', archive: { bucket: 'runs', key: 'k', digest, bytes: 1 }, manifest: {} as PackageManifest };

describe('what becomes of a run', () => {
  it('is a package named after its bytes', () => {
    const decided = decide(undefined, 'run-1', built);
    expect(decided?.record).toEqual({ runId: 'run-1', packageId: 'pkg-0123456789abcdef', outcome: 'built', detail: digest });
    expect(decided?.event).toMatchObject({ type: 'built', id: 'package.built/run-1', packageId: 'pkg-0123456789abcdef' });
    expect(packageIdOf(digest)).toBe('pkg-0123456789abcdef');
  });

  it('is a refusal named after the run, with a reason that fits', () => {
    const decided = decide(undefined, 'run-1', refused('does-not-run', 'x'.repeat(REASON_CHARACTERS_MAX + 1)));
    expect(decided?.event).toMatchObject({ type: 'refused', id: 'package.refused/run-1', packageId: 'pkg-run-1' });
    expect(decided?.event.type === 'refused' && decided.event.refused.reason.length).toBe(REASON_CHARACTERS_MAX);
    expect(refusedIdOf('r'.repeat(128))).toHaveLength(128);
  });

  it('is decided once: the first answer stands, whatever comes later', () => {
    const first = decide(undefined, 'run-1', built)?.record;
    expect(decide(first, 'run-1', built)).toBeUndefined();
    expect(decide(first, 'run-1', refused('crashed', 'later'))).toBeUndefined();
  });
});

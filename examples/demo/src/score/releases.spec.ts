import { describe, expect, it } from '@jest/globals';
import { judgeReleases } from './releases.ts';

const run = (runId: string) => ({ runId });
const release = (runId: string, releaseId: string, packageDigest = `sha256:${releaseId}`) => ({ runId, releaseId, packageDigest });

describe('the releases of a turn', () => {
  it('are whole when every run that passed is one release', () => {
    const said = [release('r1', 'v1'), release('r2', 'v2'), release('r2', 'v2')];
    expect(judgeReleases([run('r1'), run('r2')], said)).toEqual({ published: 2, lost: 0, doubled: 0 });
  });

  it('miss one where a run passed and nothing came of it', () => {
    expect(judgeReleases([run('r1'), run('r2'), run('r2')], [release('r1', 'v1')])).toEqual({ published: 1, lost: 1, doubled: 0 });
  });

  it.each([
    ['one run became two releases', [release('r1', 'v1'), release('r1', 'v2')]],
    ['one release has two packages', [release('r1', 'v1', 'sha256:a'), release('r1', 'v1', 'sha256:b')]],
  ])('are doubled where %s', (_, said) => {
    expect(judgeReleases([run('r1')], said).doubled).toBe(1);
  });
});

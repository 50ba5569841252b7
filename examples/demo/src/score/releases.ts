import type { PayloadOf, ReleasePublished, RunCompleted } from '@edgeloop/contracts';
import type { ReleaseReport } from './report.ts';

type Completed = Pick<PayloadOf<typeof RunCompleted>, 'runId'>;
type Published = Pick<PayloadOf<typeof ReleasePublished>, 'runId' | 'releaseId' | 'packageDigest'>;

/** A run that passed and was never published: lost. A run with two releases, or a release with two packages: doubled. */
export function judgeReleases(completed: readonly Completed[], published: readonly Published[]): ReleaseReport {
  const releasesOf = groupOf(
    published,
    ({ runId }) => runId,
    ({ releaseId }) => releaseId,
  );
  const packagesOf = groupOf(
    published,
    ({ releaseId }) => releaseId,
    ({ packageDigest }) => packageDigest,
  );
  const lost = new Set(completed.map(({ runId }) => runId).filter((runId) => !releasesOf.has(runId)));
  const doubled = [...releasesOf.values(), ...packagesOf.values()].filter(({ size }) => size > 1);
  return { published: packagesOf.size, lost: lost.size, doubled: doubled.length };
}

function groupOf<T>(items: readonly T[], by: (item: T) => string, what: (item: T) => string): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const item of items) groups.set(by(item), (groups.get(by(item)) ?? new Set()).add(what(item)));
  return groups;
}

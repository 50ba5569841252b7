import type { ChannelName, Digest, ObjectRef } from '@edgeloop/contracts';

/** A package that asks to become a release. */
export interface Candidate {
  readonly releaseId: string;
  readonly packageId: string;
  readonly runId: string;
  readonly name: string;
  readonly version: string;
  readonly channel: ChannelName;
  readonly targetPath: string;
  readonly packageDigest: Digest;
  readonly packageBytes: number;
  readonly modelDigest: Digest;
  readonly model: ObjectRef;
  readonly classes: readonly string[];
}

export type ReleaseRefusal = 'version-taken' | 'archive-missing' | 'archive-damaged' | 'archive-refused' | 'manifest-differs';

export interface RefusedPackage {
  readonly packageId: string;
  readonly cause: ReleaseRefusal;
}

/** One version of one model, for ever bound to the first good package that claimed it. */
export interface Release {
  readonly releaseId: string;
  /** Undefined: every package so far was refused, the version is free. */
  readonly holder?: Candidate;
  /** ISO 8601; undefined: the holder's bytes and signatures are still on their way. */
  readonly publishedAt?: string;
  readonly refused: readonly RefusedPackage[];
}

export type ReleaseEvent =
  | { readonly type: 'published'; readonly id: string; readonly holder: Candidate }
  | {
      readonly type: 'refused';
      readonly id: string;
      readonly releaseId: string;
      readonly packageId: string;
      readonly cause: ReleaseRefusal;
      readonly reason: string;
    };

export interface Decision {
  readonly release: Release;
  readonly events: readonly ReleaseEvent[];
}

/** Refusals that are remembered per version, so that each is told once. */
export const REFUSALS_KEPT = 100;

/** The candidate takes the version, or is told that it is taken. Undefined: it holds the version already. */
export function claim(release: Release | undefined, candidate: Candidate): Decision | undefined {
  const holder = release?.holder;
  if (holder === undefined) return { release: { ...start(release, candidate.releaseId), holder: candidate }, events: [] };
  if (holder.packageDigest === candidate.packageDigest) return undefined;
  return refuse(release, candidate, {
    cause: 'version-taken',
    reason: `${candidate.name} ${candidate.version} is ${holder.packageDigest} for ever; ${candidate.packageDigest} needs a version of its own`,
  });
}

/** Undefined: this package was refused before, and told so. */
export function refuse(
  release: Release | undefined,
  candidate: Pick<Candidate, 'releaseId' | 'packageId'>,
  why: { readonly cause: ReleaseRefusal; readonly reason: string },
): Decision | undefined {
  const { releaseId, packageId } = candidate;
  const before = start(release, releaseId);
  if (before.refused.some((known) => known.packageId === packageId)) return undefined;
  const refused = [...before.refused, { packageId, cause: why.cause }].slice(-REFUSALS_KEPT);
  const event: ReleaseEvent = { type: 'refused', id: `release.refused/${releaseId}/${packageId}`, releaseId, packageId, ...why };
  return { release: { ...before, refused }, events: [event] };
}

/** The holder's bytes lie in the repository, signed and read back. Undefined: it was said before. */
export function publish(release: Release | undefined, packageDigest: Digest, at: string): Decision | undefined {
  const holder = release?.holder;
  if (release === undefined || holder?.packageDigest !== packageDigest || release.publishedAt !== undefined) return undefined;
  return {
    release: { ...release, publishedAt: at },
    events: [{ type: 'published', id: `release.published/${release.releaseId}`, holder }],
  };
}

/** Does this package hold the version, and is nothing left to do? */
export function isPublished(release: Release | undefined, packageDigest: Digest): boolean {
  return release?.publishedAt !== undefined && release.holder?.packageDigest === packageDigest;
}

export function holds(release: Release | undefined, packageDigest: Digest): boolean {
  return release?.holder?.packageDigest === packageDigest;
}

function start(release: Release | undefined, releaseId: string): Release {
  return release ?? { releaseId, refused: [] };
}

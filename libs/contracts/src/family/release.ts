import { z } from 'zod';
import { event } from '../contract.ts';
import { ModelName, ModelVersion, PackageManifest } from '../package-manifest.ts';
import { ChannelName, Digest, ObjectRef, PackageId, ReleaseId, RunId } from '../values.ts';
import { loop } from './loop-stream.ts';

export const PackageBuilt = event({
  ...loop,
  type: 'package.built',
  subject: 'package.v1.{packageId}.built',
  says: 'A checked, self-testing package lies in the store.',
  payload: z.object({
    packageId: PackageId,
    runId: RunId,
    archive: ObjectRef,
    /** The model as the run stored it; the next run's incumbent. */
    model: ObjectRef,
    manifest: PackageManifest,
  }),
});
export const PackageRefused = event({
  ...loop,
  type: 'package.refused',
  subject: 'package.v1.{packageId}.refused',
  says: 'The run output cannot be a package, and why.',
  payload: z.object({ packageId: PackageId, runId: RunId, cause: z.string().max(64), reason: z.string().max(2000) }),
});

export const ReleasePublished = event({
  ...loop,
  type: 'release.published',
  subject: 'release.v1.{releaseId}.published',
  says: 'An immutable, signed release is in the artifact repository and a channel points at it.',
  payload: z.object({
    releaseId: ReleaseId,
    packageId: PackageId,
    runId: RunId,
    name: ModelName,
    version: ModelVersion,
    channel: ChannelName,
    targetPath: z.string(),
    packageDigest: Digest,
    packageBytes: z.int().positive(),
    modelDigest: Digest,
    model: ObjectRef,
    classes: z.array(z.string()),
  }),
});
export type ReleasePublished = z.output<typeof ReleasePublished.payload>;
export const ReleaseRefused = event({
  ...loop,
  type: 'release.refused',
  subject: 'release.v1.{releaseId}.refused',
  says: 'The package was not published, and why.',
  payload: z.object({ releaseId: ReleaseId, packageId: PackageId, cause: z.string().max(64), reason: z.string().max(2000) }),
});

/** The facts about a release that a rollout hands to the fleet. */
export const RolloutRelease = ReleasePublished.payload.pick({
  releaseId: true,
  name: true,
  version: true,
  targetPath: true,
  packageDigest: true,
  packageBytes: true,
  modelDigest: true,
});
export type RolloutRelease = z.output<typeof RolloutRelease>;

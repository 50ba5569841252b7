import type { Channel } from '../domain/channel.ts';
import type { Release } from '../domain/release.ts';
import type { RepositoryState } from './metadata-writer.ts';
import { ChannelName, Digest, ModelName, ModelVersion, ObjectRef, PackageId, ReleaseId, RunId, Timestamp } from '@edgeloop/contracts';
import { z } from 'zod';

const ReleaseRefusal = z.enum(['version-taken', 'archive-missing', 'archive-damaged', 'archive-refused', 'manifest-differs']);

/** Documents of the bucket `releases`, by release id. */
export const ReleaseDocument: z.ZodType<Release> = z.object({
  releaseId: ReleaseId,
  holder: z
    .object({
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
    })
    .optional(),
  publishedAt: Timestamp.optional(),
  refused: z.array(z.object({ packageId: PackageId, cause: ReleaseRefusal })),
});

/** Documents of the bucket `channels`, by channel. */
export const ChannelDocument: z.ZodType<Channel> = z.object({
  channel: ChannelName,
  releaseId: ReleaseId,
  name: ModelName,
  version: ModelVersion,
});

const SignedRole = z.object({ version: z.int().positive(), expires: z.string() });
const SignedFile = SignedRole.extend({ bytes: z.int().positive(), digest: Digest });
const Target = z.object({ path: z.string(), bytes: z.int().positive(), digest: Digest });

/** The one document of the bucket `repositories`. */
export const RepositoryDocument: z.ZodType<RepositoryState> = z.object({
  keyIds: z.object({ root: z.string(), targets: z.string(), snapshot: z.string(), timestamp: z.string() }),
  head: z.object({ root: SignedRole, targets: SignedFile, snapshot: SignedFile, timestamp: SignedRole }).nullable(),
  pending: z
    .object({
      root: SignedRole.optional(),
      targets: SignedRole.extend({ add: z.array(Target) }).optional(),
      snapshot: SignedRole.optional(),
      timestamp: SignedRole,
    })
    .nullable(),
});

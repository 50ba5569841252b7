import { PackageId, RunId } from '@edgeloop/contracts';
import { z } from 'zod';
import type { PackageRecord } from '../domain/packaging.ts';

/** Documents of the bucket `packages`, by run id. */
export const PackageDocument: z.ZodType<PackageRecord> = z.object({
  runId: RunId,
  packageId: PackageId,
  outcome: z.enum(['built', 'refused']),
  detail: z.string(),
});

import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { extractPackage, PackageRefusedError } from '@edgeloop/model-package/reader';
import type { ExtractedPackage } from '@edgeloop/model-package/reader';
import { hashOf } from '../adapters/slots.ts';
import { StepFailedError } from '../domain/failure.ts';
import type { DesiredRelease } from '../domain/release.ts';
import { hasSlot, partPath } from './download.ts';
import type { Executor, FlowStepInput } from './executor.ts';

/** From the checked archive to a slot. The archive is hashed again: a restart may lie between, and the disk may lie. */
export const stage: Executor<FlowStepInput> = async ({ release }, tools, signal) => {
  if (await hasSlot(tools, release, signal)) return {};
  const part = partPath(tools, release);
  await assertArchive(part, release);
  signal.throwIfAborted();
  const tree = join(tools.stagingFolder, `tree-${randomUUID()}`);
  try {
    assertModel(await extracted(part, tree), release);
    signal.throwIfAborted();
    await tools.slots.install(release.packageDigest, tree);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
  await rm(part, { force: true });
  return {};
};

async function assertArchive(part: string, release: DesiredRelease): Promise<void> {
  const found = await hashOf(part).catch(() => 'nothing');
  if (found === release.packageDigest) return;
  await rm(part, { force: true });
  throw new StepFailedError({ reason: 'digest-mismatch', detail: `the stored archive hashes to ${found}`, severity: 'final' });
}

async function extracted(part: string, tree: string): Promise<ExtractedPackage> {
  try {
    return await extractPackage(part, tree);
  } catch (cause) {
    if (!(cause instanceof PackageRefusedError)) throw cause;
    throw new StepFailedError({ reason: 'package-invalid', detail: cause.message, severity: 'final' }, { cause });
  }
}

function assertModel({ manifest }: ExtractedPackage, release: DesiredRelease): void {
  if (manifest.model.digest === release.modelDigest) return;
  throw new StepFailedError({
    reason: 'model-mismatch',
    detail: `the package holds the weights ${manifest.model.digest}, desired are ${release.modelDigest}`,
    severity: 'final',
  });
}

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryPathOf } from '@edgeloop/trust';
import { directoryName } from '../adapters/slots.ts';
import type { DesiredRelease } from '../domain/release.ts';
import type { Executor, FlowStepInput, Tools } from './executor.ts';

export function partPath(tools: Pick<Tools, 'stagingFolder'>, release: DesiredRelease): string {
  return join(tools.stagingFolder, `${directoryName(release.packageDigest)}.part`);
}

/** A slot that holds what it should needs no download. */
export function hasSlot(tools: Pick<Tools, 'slots'>, release: DesiredRelease, signal: AbortSignal): Promise<boolean> {
  return tools.slots.verify(release.packageDigest, signal).then(
    () => true,
    () => {
      signal.throwIfAborted();
      return false;
    },
  );
}

export const download: Executor<FlowStepInput> = async ({ release }, tools, signal) => {
  if (await hasSlot(tools, release, signal)) return {};
  await mkdir(tools.stagingFolder, { recursive: true });
  const path = repositoryPathOf(release.targetPath, directoryName(release.packageDigest));
  await tools.downloader.download({
    link: async () => (await tools.links.links())[path],
    path: partPath(tools, release),
    bytes: release.packageBytes,
    digest: release.packageDigest,
    signal,
  });
  return {};
};

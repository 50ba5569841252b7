import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@edgeloop/runtime';
import { METADATA_BYTES_MAX, TufClient, metadataPath, type MetadataSource, type VerifiedTarget } from '@edgeloop/trust';
import type { ArtifactRepository } from '../ports.ts';

/**
 * Reads a package's signed facts from the repository the way a fresh node does: from the first root, trusting nothing else.
 * Throws `TrustError`.
 */
export async function readAsNode(repository: ArtifactRepository, targetPath: string, clock: Clock): Promise<VerifiedTarget> {
  const root = await repository.get(metadataPath('root', 1), METADATA_BYTES_MAX.root);
  const folder = await mkdtemp(join(tmpdir(), 'edgeloop-publisher-'));
  try {
    const client = new TufClient({ folder, shippedRoot: Buffer.from(root).toString('utf8') });
    return await client.verifiedTarget(targetPath, sourceOf(repository), { now: clock.now() });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function sourceOf(repository: ArtifactRepository): MetadataSource {
  return {
    read: async (path, bytesMax) => {
      if ((await repository.head(path)) === undefined) return undefined;
      return Buffer.from(await repository.get(path, bytesMax));
    },
  };
}

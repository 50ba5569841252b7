import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DatasetSnapshotted, ReleasePublished } from '@edgeloop/contracts';
import { RELEASES_BUCKET, hexOf, readVerified } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';
import type { TurnLog } from './narration/turn-log.ts';
import type { Scored } from './turn/build-report.ts';

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

export async function writePictures(folder: string, { pictures }: Scored): Promise<readonly string[]> {
  const paths = [join(folder, 'before.png'), join(folder, 'after.png')] as const;
  await write(paths[0], pictures.before);
  await write(paths[1], pictures.after);
  return paths;
}

/** The package as nodes fetch it: consistent snapshots carry the digest in the name. */
async function readPackage(store: ObjectStore, release: ReturnType<typeof releasesOf>[number]): Promise<Uint8Array> {
  const [file = '', ...folders] = release.targetPath.split('/').reverse();
  const key = ['targets', ...folders.reverse(), `${hexOf(release.packageDigest)}.${file}`].join('/');
  return readVerified(store, { bucket: RELEASES_BUCKET, key, digest: release.packageDigest, bytes: release.packageBytes });
}

const releasesOf = (log: TurnLog) => log.all(ReleasePublished);

/** Leaves what anyone needs to score the turn with tools of their own. */
export async function keepAll(folder: string, parts: { scored: Scored; store: ObjectStore; log: TurnLog }): Promise<void> {
  const root = resolve(folder);
  await write(join(root, 'report.json'), `${JSON.stringify(parts.scored.report, null, 2)}\n`);
  await writePictures(root, parts.scored);
  for (const release of releasesOf(parts.log)) {
    await write(join(root, 'releases', `${release.releaseId}.zip`), await readPackage(parts.store, release));
    await write(join(root, 'releases', `${release.releaseId}.onnx`), await readVerified(parts.store, release.model));
  }
  for (const dataset of parts.log.all(DatasetSnapshotted)) {
    await write(join(root, 'datasets', `${dataset.version}-${dataset.datasetId}.json`), await readVerified(parts.store, dataset.manifest));
  }
}

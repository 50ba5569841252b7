/** Folders of a repository: plain static files under these, whatever serves them. */
export const METADATA_FOLDER = 'metadata/';
export const TARGETS_FOLDER = 'targets/';

/** Path of a package among the TUF targets: `<name>/<name>-<version>.zip`. */
export function targetPathOf(name: string, version: string): string {
  return `${name}/${name}-${version}.zip`;
}

/** Where a target's bytes lie, prefixed by its digest so that it can never change under a reader. */
export function repositoryPathOf(targetPath: string, sha256Hex: string): string {
  const slash = targetPath.lastIndexOf('/') + 1;
  return `${TARGETS_FOLDER}${targetPath.slice(0, slash)}${sha256Hex}.${targetPath.slice(slash)}`;
}

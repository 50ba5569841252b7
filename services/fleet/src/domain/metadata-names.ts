const VERSIONED = /^metadata\/([1-9][0-9]*)\.(root|snapshot|targets)\.json$/;
const TIMESTAMP = 'metadata/timestamp.json';
/** A writer may be between two files: the newest may not be spoken of yet, so some older ones are named too. */
export const VERSIONS_NAMED = 3;

/** The metadata that a client may ask for, out of all that lies there: every root, the newest of the others, the timestamp. */
export function currentMetadata(names: readonly string[]): string[] {
  const versions = names.flatMap((name) => {
    const [, version, role] = VERSIONED.exec(name) ?? [];
    return version === undefined || role === undefined ? [] : [{ name, role, version: Number(version) }];
  });
  const newest = (role: string): string[] =>
    versions
      .filter((found) => found.role === role)
      .sort((a, b) => b.version - a.version)
      .slice(0, role === 'root' ? undefined : VERSIONS_NAMED)
      .map(({ name }) => name);
  const timestamp = names.includes(TIMESTAMP) ? [TIMESTAMP] : [];
  return [...newest('root'), ...timestamp, ...newest('snapshot'), ...newest('targets')];
}

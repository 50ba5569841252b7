import {
  MetadataExpiredError,
  MetadataMismatchError,
  MetadataPersistError,
  MetadataUnreadableError,
  RollbackError,
  SignatureError,
  TrustError,
  type MetadataRole,
} from './tuf-errors.ts';

type Build = (detail: string, cause: unknown) => TrustError;

/**
 * `tuf-js` wraps refusals of snapshot and targets into text, so the text is what can be told apart. The library is pinned to
 * one version and every row is pinned by a test of the attack it names.
 */
const REFUSALS: readonly (readonly [RegExp, Build])[] = [
  [/(root|timestamp|snapshot|targets)\.json is expired/, (detail, cause) => new MetadataExpiredError(roleIn(detail), { cause })],
  [/was signed by \d+\/\d+ keys/, (detail, cause) => new SignatureError(detail, { cause })],
  [/is less than current version|Missing file .* in new snapshot/, (detail, cause) => new RollbackError(detail, { cause })],
  [
    /Snapshot version doesn't match timestamp|does not match snapshot version|Expected (version|length|hash)|hash|length/,
    (detail, cause) => new MetadataMismatchError(detail, { cause }),
  ],
  [/Failed to persist|ENOSPC|EIO|EROFS|EDQUOT|EACCES/, (detail, cause) => new MetadataPersistError(detail, { cause })],
];

function roleIn(detail: string): MetadataRole {
  return (/(root|timestamp|snapshot|targets)\.json/.exec(detail)?.[1] ?? 'timestamp') as MetadataRole;
}

/** The typed refusal for whatever the library threw. */
export function refusalOf(cause: unknown): TrustError {
  if (cause instanceof TrustError) return cause;
  const detail = (cause as Error | undefined)?.message ?? String(cause);
  const found = REFUSALS.find(([pattern]) => pattern.test(detail));
  return found === undefined ? new MetadataUnreadableError(detail, { cause }) : found[1](detail, cause);
}

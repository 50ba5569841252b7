import { Key, MetaFile, Metadata, Root, Signature, Snapshot, TargetFile, Targets, Timestamp, MetadataKind } from '@tufjs/models';
import { digestOf, hexOf } from './digest.ts';
import type { RepositoryKeys, Signer } from './keys.ts';
import { METADATA_ROLES } from './keys.ts';
import type { MetadataRole } from './tuf-errors.ts';
import { METADATA_FOLDER } from './tuf-paths.ts';

const DAY_MS = 86_400_000;
/** How long a signature of each role is good for. */
export const ROLE_LIFETIME_MS: Readonly<Record<MetadataRole, number>> = {
  root: 365 * DAY_MS,
  targets: 365 * DAY_MS,
  snapshot: 30 * DAY_MS,
  timestamp: 7 * DAY_MS,
};
/** A role is signed anew when less than this share of its lifetime is left. */
export const RENEW_BELOW_SHARE = 0.5;
const SPEC_VERSION = '1.0.31';

/** A package as TUF names it. */
export interface TufTarget {
  /** `<name>/<name>-<version>.zip` */
  readonly path: string;
  readonly bytes: number;
  /** `sha256:<hex>` */
  readonly digest: string;
}
export interface SignedRole {
  readonly version: number;
  /** ISO 8601 in UTC, whole seconds. */
  readonly expires: string;
}
export interface SignedFile extends SignedRole {
  readonly bytes: number;
  readonly digest: string;
}
/** What the newest timestamp stands for. */
export interface RepositoryHead {
  readonly root: SignedRole;
  readonly targets: SignedFile;
  readonly snapshot: SignedFile;
  readonly timestamp: SignedRole;
}
/**
 * The next step of a repository, decided before anything is written. Together with the present head it fixes every byte of the
 * files to come (Ed25519 signs the same bytes the same way), so whoever carries it out, or carries it out again, writes the same.
 */
export interface RepositoryChange {
  readonly root?: SignedRole;
  readonly targets?: SignedRole & { readonly add: readonly TufTarget[] };
  readonly snapshot?: SignedRole;
  readonly timestamp: SignedRole;
}
export interface RepositoryFile {
  /** Path in the repository. */
  readonly path: string;
  readonly bytes: Buffer;
  /** Versioned files never change; only `timestamp.json` is replaced. */
  readonly immutable: boolean;
}

export class TargetsFileError extends Error {
  override readonly name = 'TargetsFileError';
  readonly retryable = false;
}

/** The first metadata of a repository: no releases yet, but a root that nodes can be given. */
export function planFirst(now: number): Required<RepositoryChange> {
  const first = (role: MetadataRole): SignedRole => nextOf(role, undefined, now);
  return { root: first('root'), targets: { ...first('targets'), add: [] }, snapshot: first('snapshot'), timestamp: first('timestamp') };
}

export function planTargets(head: RepositoryHead, add: readonly TufTarget[], now: number): RepositoryChange {
  return {
    targets: { ...nextOf('targets', head.targets, now), add },
    snapshot: nextOf('snapshot', head.snapshot, now),
    timestamp: nextOf('timestamp', head.timestamp, now),
  };
}

/** What must be signed anew by now, or undefined. A new version of one role needs new ones of all that vouch for it. */
export function planRenewal(head: RepositoryHead, now: number): RepositoryChange | undefined {
  const due = (role: MetadataRole): boolean => Date.parse(head[role].expires) - now < ROLE_LIFETIME_MS[role] * RENEW_BELOW_SHARE;
  if (!METADATA_ROLES.some(due)) return undefined;
  const targets = due('targets');
  return {
    ...(due('root') && { root: nextOf('root', head.root, now) }),
    ...(targets && { targets: { ...nextOf('targets', head.targets, now), add: [] } }),
    ...((targets || due('snapshot')) && { snapshot: nextOf('snapshot', head.snapshot, now) }),
    timestamp: nextOf('timestamp', head.timestamp, now),
  };
}

function nextOf(role: MetadataRole, present: SignedRole | undefined, now: number): SignedRole {
  const expires = new Date(Math.floor((now + ROLE_LIFETIME_MS[role]) / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  return { version: (present?.version ?? 0) + 1, expires };
}

/** Where a role's file of that version lies. */
export function metadataPath(role: MetadataRole, version: number): string {
  return role === 'timestamp' ? `${METADATA_FOLDER}timestamp.json` : `${METADATA_FOLDER}${version}.${role}.json`;
}

/**
 * The files of a change, in the order in which they must be written: a reader starts at `timestamp.json`, so it comes last and
 * whatever it names lies there already. `presentTargets` is the file that `head.targets` describes.
 */
export function renderChange(
  keys: RepositoryKeys,
  head: RepositoryHead | undefined,
  change: RepositoryChange,
  presentTargets: Buffer | undefined,
): { readonly files: readonly RepositoryFile[]; readonly head: RepositoryHead } {
  const root = change.root && fileOf('root', change.root, signed(keys.root, rootOf(keys, change.root)));
  const targets = change.targets && fileOf('targets', change.targets, targetsBytes(keys, change.targets, head, presentTargets));
  const targetsHead = targets === undefined ? required(head).targets : describe(change.targets as SignedRole, targets.bytes);
  const snapshot = change.snapshot && fileOf('snapshot', change.snapshot, signed(keys.snapshot, snapshotOf(change.snapshot, targetsHead)));
  const snapshotHead = snapshot === undefined ? required(head).snapshot : describe(change.snapshot as SignedRole, snapshot.bytes);
  const timestamp = fileOf('timestamp', change.timestamp, signed(keys.timestamp, timestampOf(change.timestamp, snapshotHead)));
  return {
    files: [root, targets, snapshot, timestamp].filter((file) => file !== undefined),
    head: { root: change.root ?? required(head).root, targets: targetsHead, snapshot: snapshotHead, timestamp: change.timestamp },
  };
}

/** The targets that a `N.targets.json` names. */
export function targetsIn(bytes: Buffer): readonly TufTarget[] {
  const { signed: body } = Metadata.fromJSON(MetadataKind.Targets, JSON.parse(bytes.toString('utf8')));
  return Object.values(body.targets).map((target) => ({
    path: target.path,
    bytes: target.length,
    digest: `sha256:${target.hashes['sha256'] ?? ''}`,
  }));
}

function required(head: RepositoryHead | undefined): RepositoryHead {
  if (head === undefined) throw new TargetsFileError('the first metadata of a repository must hold every role');
  return head;
}

function targetsBytes(
  keys: RepositoryKeys,
  change: NonNullable<RepositoryChange['targets']>,
  head: RepositoryHead | undefined,
  present: Buffer | undefined,
): Buffer {
  if (head !== undefined && (present === undefined || digestOf(present) !== head.targets.digest))
    throw new TargetsFileError(`${metadataPath('targets', head.targets.version)} is not the file that was signed: restore it from a copy`);
  const targets: Record<string, TargetFile> = {};
  for (const target of [...(present === undefined ? [] : targetsIn(present)), ...change.add])
    targets[target.path] = new TargetFile({ path: target.path, length: target.bytes, hashes: { sha256: hexOf(target.digest) } });
  return signed(keys.targets, new Targets({ ...common(change), targets }));
}

function rootOf(keys: RepositoryKeys, role: SignedRole): Root {
  const root = new Root({ ...common(role), consistentSnapshot: true });
  for (const name of METADATA_ROLES) root.addKey(keyOf(keys[name]), name);
  return root;
}

function snapshotOf(role: SignedRole, targets: SignedFile): Snapshot {
  return new Snapshot({ ...common(role), meta: { 'targets.json': metaOf(targets) } });
}

function timestampOf(role: SignedRole, snapshot: SignedFile): Timestamp {
  return new Timestamp({ ...common(role), snapshotMeta: metaOf(snapshot) });
}

function metaOf(file: SignedFile): MetaFile {
  return new MetaFile({ version: file.version, length: file.bytes, hashes: { sha256: hexOf(file.digest) } });
}

function common(role: SignedRole): { version: number; specVersion: string; expires: string } {
  return { version: role.version, specVersion: SPEC_VERSION, expires: role.expires };
}

function keyOf(signer: Signer): Key {
  return new Key({ keyID: signer.keyId, keyType: 'ed25519', scheme: 'ed25519', keyVal: { public: signer.publicKey } });
}

function signed(signer: Signer, body: Root | Targets | Snapshot | Timestamp): Buffer {
  const metadata = new Metadata(body);
  metadata.sign((bytes) => new Signature({ keyID: signer.keyId, sig: signer.sign(bytes).toString('hex') }));
  return Buffer.from(`${JSON.stringify(metadata.toJSON(), undefined, 1)}\n`);
}

function fileOf(role: MetadataRole, { version }: SignedRole, bytes: Buffer): RepositoryFile {
  return { path: metadataPath(role, version), bytes, immutable: role !== 'timestamp' };
}

function describe(role: SignedRole, bytes: Buffer): SignedFile {
  return { version: role.version, expires: role.expires, bytes: bytes.byteLength, digest: digestOf(bytes) };
}

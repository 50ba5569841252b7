import type { Digest, ObjectRef, PackageManifest } from '@edgeloop/contracts';

/** Why a run's output cannot be a package. */
export type RefusalCause =
  | 'model-missing'
  | 'model-damaged'
  | 'model-too-large'
  | 'golden-pictures-missing'
  | 'card-invalid'
  | 'unreadable-model'
  | 'external-data'
  | 'wrong-shape'
  | 'layout-mismatch'
  | 'does-not-run'
  | 'not-finite'
  | 'too-slow'
  | 'too-much-memory'
  | 'crashed'
  | 'goldens-differ'
  | 'archive-unreadable';

export interface Refused {
  readonly kind: 'refused';
  readonly cause: RefusalCause;
  /** For the person who has to mend it. */
  readonly reason: string;
}
export interface Built {
  readonly kind: 'built';
  readonly archive: ObjectRef;
  readonly manifest: PackageManifest;
}
export type Outcome = Built | Refused;

/** What became of a run's output; the first answer stands for ever. */
export interface PackageRecord {
  readonly runId: string;
  readonly packageId: string;
  readonly outcome: 'built' | 'refused';
  /** Digest of the archive, or the cause of the refusal. */
  readonly detail: string;
}

export type PackageEvent =
  | { readonly type: 'built'; readonly id: string; readonly packageId: string; readonly built: Built }
  | { readonly type: 'refused'; readonly id: string; readonly packageId: string; readonly refused: Refused };

const ID_DIGITS = 16;
const DIGEST_PREFIX = 'sha256:';
const TOKEN_CHARACTERS_MAX = 128;
/** The contract of `package.refused` takes no more. */
export const REASON_CHARACTERS_MAX = 2000;

/** The same bytes are the same package, whichever run made them. */
export function packageIdOf(digest: Digest): string {
  return `pkg-${digest.slice(DIGEST_PREFIX.length, DIGEST_PREFIX.length + ID_DIGITS)}`;
}

/** A refused run has no archive to be named after. */
export function refusedIdOf(runId: string): string {
  return `pkg-${runId}`.slice(0, TOKEN_CHARACTERS_MAX);
}

/** Undefined: there is an answer for this run already, and it stands. */
export function decide(
  record: PackageRecord | undefined,
  runId: string,
  outcome: Outcome,
): { readonly record: PackageRecord; readonly event: PackageEvent } | undefined {
  if (record !== undefined) return undefined;
  switch (outcome.kind) {
    case 'built': {
      const packageId = packageIdOf(outcome.archive.digest);
      return {
        record: { runId, packageId, outcome: 'built', detail: outcome.archive.digest },
        event: { type: 'built', id: `package.built/${runId}`, packageId, built: outcome },
      };
    }
    case 'refused': {
      const packageId = refusedIdOf(runId);
      const refused = { ...outcome, reason: outcome.reason.slice(0, REASON_CHARACTERS_MAX) };
      return {
        record: { runId, packageId, outcome: 'refused', detail: outcome.cause },
        event: { type: 'refused', id: `package.refused/${runId}`, packageId, refused },
      };
    }
    default:
      return outcome satisfies never;
  }
}

export function refused(cause: RefusalCause, reason: string): Refused {
  return { kind: 'refused', cause, reason };
}

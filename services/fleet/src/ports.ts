import type { RolloutRelease, SignedDesired } from '@edgeloop/contracts';

/** Short-lived rights to read what a node may need, by repository path. */
export interface ReleaseLinks {
  /**
   * Links to the trust metadata and, when given, to a package.
   * `knownSince` (ms since 1970): the answer must show at least what was published before that time.
   */
  linksFor(target: { targetPath: string; packageDigest: string } | null, knownSince: number): Promise<RepositoryLinks>;
}

export interface RepositoryLinks {
  readonly links: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly expireAt: number;
}

/** The first trust root, which every node starts from. */
export interface TrustRoot {
  /** JSON text; undefined while the publisher has not made it. */
  read(): Promise<string | undefined>;
}

/** The key that signs who runs what. */
export interface AssignmentKey {
  readonly keyId: string;
  readonly publicKey: string;
  sign(text: string): SignedDesired;
}

/** Lets one key act as one node on the bus. */
export interface NodeRights {
  mint(nodeId: string, publicKey: string): Promise<string>;
}

/** Asks a node to come and sync. May be lost. */
export interface Bells {
  ring(nodeId: string): void;
}

export interface Secrets {
  /** An unguessable text of letters and digits. */
  next(): string;
  /** Lower-case hex digits for an id that need not be secret. */
  id(): string;
  hash(secret: string): string;
}

export interface StartedRollout {
  readonly release: RolloutRelease;
  /** It went over all nodes, not over some that were named. */
  readonly overAll: boolean;
}

/** What a rollout set out to do. */
export interface StartedRollouts {
  find(rolloutId: string): Promise<StartedRollout | undefined>;
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Updater } from 'tuf-js';
import { MetadataPersistError, ShippedRootError, TargetDigestError, TargetUnknownError, type MetadataRole } from './tuf-errors.ts';
import { MetadataGenerations, type Generation } from './tuf-generations.ts';
import { METADATA_BASE_URL, SourceFetcher, linkSource, type MetadataLinks, type MetadataSource } from './tuf-links-fetcher.ts';
import { repositoryPathOf } from './tuf-paths.ts';
import { refusalOf } from './tuf-refusal.ts';
import { assertSoundMetadata } from './tuf-soundness.ts';

/** No honest file of ours comes near these. */
export const METADATA_BYTES_MAX = { root: 512_000, timestamp: 16_384, snapshot: 2_000_000, targets: 5_000_000 } as const;
/** New roots that one refresh follows, one after the other. */
export const ROOT_ROTATIONS_PER_REFRESH_MAX = 64;

export interface TufClientOptions {
  /** Folder that belongs to this client alone. */
  readonly folder: string;
  /** `tufRoot` of the trust anchors, JSON text as it came. Another text starts from nothing: the node was enrolled anew. */
  readonly shippedRoot: string;
}

export interface RefreshOptions {
  /** This machine's clock, milliseconds since 1970. */
  readonly now: number;
  /** The latest moment that is known to have passed (build time, newest signed time seen): a clock behind it is wrong. */
  readonly clockFloor?: number;
  readonly signal?: AbortSignal;
}

export interface RoleState {
  readonly version: number;
  /** ISO 8601. */
  readonly expires: string;
}
/** What this client has verified and keeps; a role is absent until it was seen once. */
export type TrustedMetadata = Readonly<Partial<Record<MetadataRole, RoleState>>>;

export interface VerifiedTarget {
  /** As asked for: `<name>/<name>-<version>.zip`. */
  readonly path: string;
  /** Where its bytes lie in the repository: `targets/<name>/<sha256>.<name>-<version>.zip`. */
  readonly repositoryPath: string;
  readonly bytes: number;
  /** `sha256:<hex>` of the whole file. */
  readonly digest: `sha256:${string}`;
}

/**
 * Says which packages are genuine: the TUF client workflow of `tuf-js` with our own transport and our own way to keep the
 * metadata. Whatever it refuses, what was trusted before stays trusted, and nothing here touches the model that runs.
 */
export class TufClient {
  readonly #generations: MetadataGenerations;
  readonly #shippedRoot: string;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: TufClientOptions) {
    assertShippedRoot(options.shippedRoot);
    this.#generations = new MetadataGenerations(options.folder, options.shippedRoot);
    this.#shippedRoot = options.shippedRoot;
  }

  /** Fetches and verifies all metadata. Throws `TrustError`. */
  async refresh(from: MetadataLinks | MetadataSource, options: RefreshOptions): Promise<TrustedMetadata> {
    await this.#run(from, options, async (updater) => await updater.refresh());
    return await this.trusted();
  }

  /**
   * Refreshes, then gives the signed facts about one package. Throws `TrustError`: `MetadataExpiredError` means stale,
   * `TargetUnknownError` that nobody signed this package.
   */
  async verifiedTarget(targetPath: string, from: MetadataLinks | MetadataSource, options: RefreshOptions): Promise<VerifiedTarget> {
    const info = await this.#run(from, options, async (updater) => {
      await updater.refresh();
      return await updater.getTargetInfo(targetPath);
    });
    if (info === undefined) throw new TargetUnknownError(targetPath);
    const hex = info.hashes['sha256'];
    if (hex === undefined || !/^[0-9a-f]{64}$/.test(hex)) throw new TargetDigestError(targetPath);
    return { path: targetPath, repositoryPath: repositoryPathOf(targetPath, hex), bytes: info.length, digest: `sha256:${hex}` };
  }

  /** Versions and expiry dates of what is kept on disk; reads no network. */
  async trusted(): Promise<TrustedMetadata> {
    const [newest] = await this.#generations.intact();
    if (newest === undefined) return { root: roleState(this.#shippedRoot) };
    const roles: Partial<Record<MetadataRole, RoleState>> = {};
    for (const role of ['root', 'timestamp', 'snapshot', 'targets'] as const) {
      const text = await readFile(join(newest.folder, `${role}.json`), 'utf8').catch(() => undefined);
      if (text !== undefined) roles[role] = roleState(text);
    }
    return roles;
  }

  /** One refresh at a time: they share the work folder. */
  async #run<T>(from: MetadataLinks | MetadataSource, options: RefreshOptions, task: (updater: Updater) => Promise<T>): Promise<T> {
    const mine = this.#turn.then(async () => await this.#runAlone(sourceOf(from, options), options, task));
    this.#turn = mine.catch(() => undefined);
    return await mine;
  }

  async #runAlone<T>(source: MetadataSource, options: RefreshOptions, task: (updater: Updater) => Promise<T>): Promise<T> {
    const fetcher = new SourceFetcher(source);
    const { updater, base } = await this.#open(fetcher);
    setReferenceTime(updater, Math.max(options.now, options.clockFloor ?? 0));
    let result: T;
    try {
      result = await task(updater);
    } catch (cause) {
      const refusal = fetcher.failure ?? refusalOf(cause);
      await this.#keepProgress(base, refusal instanceof MetadataPersistError);
      throw refusal;
    }
    await this.#commit(base);
    return result;
  }

  /** Newest intact generation that the library can open, else the one before, else the trust root alone. */
  async #open(fetcher: SourceFetcher): Promise<{ updater: Updater; base: Generation | undefined }> {
    for (const base of [...(await this.#generations.intact()), undefined]) {
      const metadataDir = await persisting(async () => await this.#generations.startWork(base));
      try {
        return { updater: newUpdater(metadataDir, fetcher), base };
      } catch (cause) {
        if (base === undefined) throw new ShippedRootError((cause as Error).message, { cause });
      }
    }
    throw new ShippedRootError('no metadata to start from');
  }

  /**
   * The library writes a file only after it has verified it, so a refresh that failed later still leaves something worth keeping
   * (a rotated root, a newer timestamp against rollback). Not so when the disk failed: then a file may be torn.
   */
  async #keepProgress(base: Generation | undefined, torn: boolean): Promise<void> {
    try {
      await (torn ? this.#generations.discard() : this.#generations.commit(base));
    } catch {
      await this.#generations.discard().catch(() => undefined);
    }
  }

  async #commit(base: Generation | undefined): Promise<void> {
    await persisting(async () => await this.#generations.commit(base));
  }
}

function sourceOf(from: MetadataLinks | MetadataSource, options: RefreshOptions): MetadataSource {
  return typeof from['read'] === 'function' ? (from as MetadataSource) : linkSource(from as MetadataLinks, undefined, options.signal);
}

function newUpdater(metadataDir: string, fetcher: SourceFetcher): Updater {
  return new Updater({
    metadataDir,
    metadataBaseUrl: METADATA_BASE_URL,
    fetcher,
    config: {
      maxRootRotations: ROOT_ROTATIONS_PER_REFRESH_MAX,
      rootMaxLength: METADATA_BYTES_MAX.root,
      timestampMaxLength: METADATA_BYTES_MAX.timestamp,
      snapshotMaxLength: METADATA_BYTES_MAX.snapshot,
      targetsMaxLength: METADATA_BYTES_MAX.targets,
    },
  });
}

/** The library takes the time from the machine alone; a node that boots in 1970 needs the floor. */
function setReferenceTime(updater: Updater, now: number): void {
  const { trustedSet } = updater as unknown as { trustedSet: { referenceTime: Date } };
  if (trustedSet?.referenceTime === undefined) throw new TypeError('tuf-js keeps its reference time elsewhere: adapt setReferenceTime');
  trustedSet.referenceTime = new Date(now);
}

function assertShippedRoot(text: string): void {
  try {
    assertSoundMetadata('root.json', Buffer.from(text));
  } catch (cause) {
    throw new ShippedRootError((cause as Error).message, { cause });
  }
}

function roleState(text: string): RoleState {
  const { signed } = JSON.parse(text) as { signed: RoleState };
  return { version: signed.version, expires: signed.expires };
}

async function persisting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new MetadataPersistError((cause as Error).message, { cause });
  }
}

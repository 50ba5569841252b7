import type { Document, Documents } from '@edgeloop/bus';
import type { Clock, Logger } from '@edgeloop/runtime';
import {
  METADATA_BYTES_MAX,
  metadataPath,
  planFirst,
  planRenewal,
  planTargets,
  renderChange,
  targetsIn,
  type MetadataRole,
  type RepositoryChange,
  type RepositoryFile,
  type RepositoryHead,
  type RepositoryKeys,
  type TufTarget,
} from '@edgeloop/trust';
import type { ArtifactRepository } from '../ports.ts';

/** Versions of the metadata, and the step that is under way; whoever finds a step carries it out. */
export interface RepositoryState {
  readonly keyIds: Readonly<Record<MetadataRole, string>>;
  readonly head: RepositoryHead | null;
  readonly pending: RepositoryChange | null;
}

export const REPOSITORY_KEY = 'main';
/** Rounds of load, decide, save while other replicas publish too. */
export const ROUNDS_MAX = 50;
const JSON_TYPE = 'application/json';

/** The keys on this machine are not those that nodes were told to trust. */
export class OtherKeysError extends Error {
  override readonly name = 'OtherKeysError';
  readonly retryable = false;
  constructor(roles: readonly string[], folder: string) {
    super(
      `the repository was signed by other keys (${roles.join(', ')}) than those in ${folder}: nodes would refuse everything. ` +
        'Put the key folder of the first publisher back, or start with an empty bus and store',
    );
  }
}

export class MetadataBusyError extends Error {
  override readonly name = 'MetadataBusyError';
  readonly retryable = true;
  constructor() {
    super(`other publishers changed the repository ${ROUNDS_MAX} times in a row; try again`);
  }
}

export interface MetadataWriterParts {
  readonly documents: Documents<RepositoryState>;
  readonly repository: ArtifactRepository;
  readonly keys: RepositoryKeys;
  /** Named in the error when the keys are the wrong ones. */
  readonly keyFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

type Plan = (head: RepositoryHead, targets: readonly TufTarget[]) => RepositoryChange | undefined;

/**
 * Writes TUF metadata so that a reader never sees a torn repository, whatever dies: a step is saved as a decision first (by
 * revision, so one at a time over all replicas), then carried out file by file in an order in which nothing is named before it lies
 * there, then its head is saved. A step that somebody left is finished by whoever comes next; all its bytes follow from the decision.
 */
export class MetadataWriter {
  readonly #parts: MetadataWriterParts;

  constructor(parts: MetadataWriterParts) {
    this.#parts = parts;
  }

  /** Makes the first metadata (nodes need a root before there is a release), finishes what was left, and mends the timestamp. */
  async start(): Promise<RepositoryHead> {
    const head = await this.#change(() => undefined);
    await this.#mendTimestamp();
    return head;
  }

  /** Adds a package to the signed list; a list that names it already stays as it is. */
  async addTarget(target: TufTarget): Promise<RepositoryHead> {
    return await this.#change((head, targets) => {
      const known = targets.find(({ path }) => path === target.path);
      return known?.digest === target.digest ? undefined : planTargets(head, [target], this.#parts.clock.now());
    });
  }

  /** Signs anew what would expire soon. True when something was signed. */
  async renew(): Promise<boolean> {
    let renewed = false;
    await this.#change((head) => {
      const renewal = planRenewal(head, this.#parts.clock.now());
      renewed ||= renewal !== undefined;
      return renewal;
    });
    await this.#mendTimestamp();
    return renewed;
  }

  async #change(plan: Plan): Promise<RepositoryHead> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const document = await this.#load();
      const { head, pending } = document.state;
      if (pending !== null) {
        await this.#carryOut(document, pending);
        continue;
      }
      const present = await this.#presentTargets(head);
      const change = head === null ? planFirst(this.#parts.clock.now()) : plan(head, present === undefined ? [] : targetsIn(present));
      if (change === undefined && head !== null) return head;
      if (change !== undefined) await this.#saved(document, { ...document.state, pending: change });
    }
    throw new MetadataBusyError();
  }

  async #load(): Promise<Document<RepositoryState>> {
    const { documents, keys, keyFolder } = this.#parts;
    const keyIds = { root: keys.root.keyId, targets: keys.targets.keyId, snapshot: keys.snapshot.keyId, timestamp: keys.timestamp.keyId };
    const found = await documents.load(REPOSITORY_KEY);
    if (found === undefined) return { state: { keyIds, head: null, pending: null }, revision: 0 };
    const other = Object.entries(keyIds).filter(([role, keyId]) => found.state.keyIds[role as MetadataRole] !== keyId);
    if (other.length > 0)
      throw new OtherKeysError(
        other.map(([role]) => role),
        keyFolder,
      );
    return found;
  }

  async #carryOut(document: Document<RepositoryState>, change: RepositoryChange): Promise<void> {
    const { head } = document.state;
    const rendered = renderChange(this.#parts.keys, head ?? undefined, change, await this.#presentTargets(head));
    for (const file of rendered.files) await this.#write(file);
    const saved = await this.#saved(document, { ...document.state, head: rendered.head, pending: null });
    if (saved) this.#parts.log.info({ head: rendered.head }, 'metadata signed');
    else await this.#mendTimestamp();
  }

  /** False: somebody else was faster. */
  async #saved(document: Document<RepositoryState>, state: RepositoryState): Promise<boolean> {
    try {
      await this.#parts.documents.save(REPOSITORY_KEY, state, { revision: document.revision });
      return true;
    } catch (cause) {
      if ((cause as Error).name === 'RevisionConflictError') return false;
      throw cause;
    }
  }

  /**
   * `timestamp.json` is the one file that is replaced, so a writer that was held up could put an old one over a newer. Whoever lost
   * the race for the head looks again, until the file is that of a head which did not change meanwhile.
   */
  async #mendTimestamp(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const document = await this.#load();
      const { head, pending } = document.state;
      if (head === null || pending !== null) return;
      const [file] = renderChange(this.#parts.keys, head, { timestamp: head.timestamp }, undefined).files;
      if (file === undefined || (await this.#holds(file))) return;
      this.#parts.log.warn({ version: head.timestamp.version }, 'timestamp mended');
      await this.#write(file);
      if ((await this.#load()).revision === document.revision) return;
    }
    throw new MetadataBusyError();
  }

  async #holds({ path, bytes }: RepositoryFile): Promise<boolean> {
    const held = await this.#parts.repository.head(path);
    return held !== undefined && bytes.equals(await this.#parts.repository.get(path, METADATA_BYTES_MAX.targets));
  }

  async #write({ path, bytes, immutable }: RepositoryFile): Promise<void> {
    await this.#parts.repository.put(path, bytes, { mode: immutable ? 'create' : 'replace', contentType: JSON_TYPE });
  }

  async #presentTargets(head: RepositoryHead | null): Promise<Buffer | undefined> {
    if (head === null) return undefined;
    const bytes = await this.#parts.repository.get(metadataPath('targets', head.targets.version), METADATA_BYTES_MAX.targets);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

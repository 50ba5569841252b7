import { RELEASES_BUCKET, hexOf } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';
import { METADATA_FOLDER, repositoryPathOf } from '@edgeloop/trust';
import type { Clock } from '@edgeloop/runtime';
import { currentMetadata } from '../domain/metadata-names.ts';
import type { ReleaseLinks, RepositoryLinks, TrustRoot } from '../ports.ts';

/** How long a link is good: enough for a large package over a thin line, with resumes in between asking again. */
export const LINK_LIFETIME_MS = 15 * 60_000;
/** A list of the metadata is asked for again after this long. */
export const LISTING_FRESH_MS = 1_000;

interface Listing {
  readonly listedAt: number;
  readonly names: Promise<readonly string[]>;
}

/** Links signed with the service's own key; nodes need none to read. */
export class S3ReleaseLinks implements ReleaseLinks {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  #listing: Listing | undefined;

  constructor(store: ObjectStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async linksFor(target: { targetPath: string; packageDigest: string } | null, knownSince: number): Promise<RepositoryLinks> {
    const paths = [...(await this.#metadata(knownSince))];
    if (target !== null) paths.push(repositoryPathOf(target.targetPath, hexOf(target.packageDigest)));
    const expireAt = this.#clock.now() + LINK_LIFETIME_MS;
    const links = await Promise.all(paths.map(async (key) => [key, await this.#link(key)] as const));
    return { links: Object.fromEntries(links), expireAt };
  }

  #link(key: string): Promise<string> {
    return this.#store.presignGet({ bucket: RELEASES_BUCKET, key }, LINK_LIFETIME_MS / 1000);
  }

  /** Many nodes that come at once share one list, but never one that is older than what made them come. */
  async #metadata(knownSince: number): Promise<readonly string[]> {
    const now = this.#clock.now();
    const held = this.#listing;
    const good = held !== undefined && held.listedAt > knownSince && now - held.listedAt <= LISTING_FRESH_MS;
    const listing = good ? held : { listedAt: now, names: this.#list() };
    this.#listing = listing;
    listing.names.catch(() => (this.#listing = undefined));
    return currentMetadata(await listing.names);
  }

  async #list(): Promise<string[]> {
    const names: string[] = [];
    for await (const { key } of this.#store.list(RELEASES_BUCKET, METADATA_FOLDER)) names.push(key);
    return names;
  }
}

/** Largest first root that is read. */
const ROOT_BYTES_MAX = 64_000;

/** The root of version 1 never changes: read once, kept for ever. */
export class S3TrustRoot implements TrustRoot {
  readonly #store: ObjectStore;
  #root: string | undefined;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async read(): Promise<string | undefined> {
    const at = { bucket: RELEASES_BUCKET, key: `${METADATA_FOLDER}1.root.json` };
    if (this.#root === undefined && (await this.#store.head(at)) !== undefined) {
      this.#root = new TextDecoder().decode(await this.#store.read(at, { bytesMax: ROOT_BYTES_MAX }));
    }
    return this.#root;
  }
}

import tufErrors from 'tuf-js/dist/error.js';
import { MetadataTooLargeError, MetadataTooSlowError, MetadataUnavailableError, type TrustError } from './tuf-errors.ts';
import { assertSoundMetadata } from './tuf-soundness.ts';

/** Short-lived GET links by repository path; a name without a link is not there. */
export type MetadataLinks = Readonly<Record<string, string>>;

export interface ThroughputFloor {
  /** Bytes that must arrive in every window. */
  readonly bytesMin: number;
  readonly windowMs: number;
}
/** A slow link may take its time; a dripping one may not hold the client for ever. */
export const METADATA_THROUGHPUT: ThroughputFloor = { bytesMin: 1024, windowMs: 60_000 };

/** Any URL will do: only the path below it is looked at, to find the link. */
export const METADATA_BASE_URL = 'https://repository.invalid/metadata/';
const METADATA_FOLDER = 'metadata/';
const NOT_FOUND = 404;

/** Where the bytes of one repository path come from; throws `TrustError`. */
export interface MetadataSource {
  /** Undefined: the repository has no such file. */
  read(path: string, bytesMax: number): Promise<Buffer | undefined>;
}

/** Reads over HTTP by link: byte cap, least throughput instead of a total time limit, no redirects, no decompression. */
export function linkSource(links: MetadataLinks, floor: ThroughputFloor = METADATA_THROUGHPUT, signal?: AbortSignal): MetadataSource {
  return {
    async read(path, bytesMax) {
      const link = Object.hasOwn(links, path) ? links[path] : undefined;
      return link === undefined ? undefined : await readLink({ path, link, bytesMax, floor, signal });
    },
  };
}

interface LinkRequest {
  readonly path: string;
  readonly link: string;
  readonly bytesMax: number;
  readonly floor: ThroughputFloor;
  readonly signal: AbortSignal | undefined;
}

async function readLink(request: LinkRequest): Promise<Buffer | undefined> {
  const watch = new ThroughputWatch(request.floor);
  const signal = request.signal === undefined ? watch.signal : AbortSignal.any([watch.signal, request.signal]);
  try {
    const response = await fetch(request.link, { redirect: 'error', headers: { 'accept-encoding': 'identity' }, signal });
    if (response.status === NOT_FOUND) {
      await response.body?.cancel();
      return undefined;
    }
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      throw new MetadataUnavailableError(request.path, `the store answered ${response.status}`, response.status);
    }
    return await readCapped(response.body, request, watch);
  } catch (cause) {
    if (watch.tripped) throw new MetadataTooSlowError(request.path, request.floor.bytesMin, request.floor.windowMs);
    if (cause instanceof MetadataTooLargeError || cause instanceof MetadataUnavailableError) throw cause;
    throw new MetadataUnavailableError(request.path, reasonOf(cause), undefined, { cause });
  } finally {
    watch.stop();
  }
}

async function readCapped(body: ReadableStream<Uint8Array>, request: LinkRequest, watch: ThroughputWatch): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > request.bytesMax) throw new MetadataTooLargeError(request.path, request.bytesMax);
    watch.saw(chunk.byteLength);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function reasonOf(cause: unknown): string {
  const inner = (cause as { cause?: unknown } | undefined)?.cause;
  const code = (inner as { code?: string } | undefined)?.code;
  return code ?? (inner as Error | undefined)?.message ?? (cause as Error | undefined)?.message ?? String(cause);
}

/** Aborts when a window passed with fewer bytes than the floor. */
class ThroughputWatch {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  constructor(floor: ThroughputFloor) {
    this.#timer = setInterval(() => {
      if (this.#bytes < floor.bytesMin) this.#abort.abort();
      this.#bytes = 0;
    }, floor.windowMs);
    this.#timer.unref();
  }
  get signal(): AbortSignal {
    return this.#abort.signal;
  }
  get tripped(): boolean {
    return this.#abort.signal.aborted;
  }
  saw(bytes: number): void {
    this.#bytes += bytes;
  }
  stop(): void {
    clearInterval(this.#timer);
  }
}

/** What `tuf-js` asks its fetcher for, answered from a `MetadataSource`; remembers why it failed, since `tuf-js` keeps only text. */
export class SourceFetcher {
  readonly #source: MetadataSource;
  #failure: TrustError | undefined;

  constructor(source: MetadataSource) {
    this.#source = source;
  }

  /** The failure of the last question that failed for another reason than "not there". */
  get failure(): TrustError | undefined {
    return this.#failure;
  }

  async downloadBytes(url: string, bytesMax: number): Promise<Buffer> {
    const path = METADATA_FOLDER + decodeURIComponent(url.slice(METADATA_BASE_URL.length));
    try {
      const bytes = await this.#source.read(path, bytesMax);
      if (bytes === undefined) return this.#absent(path);
      if (bytes.byteLength > bytesMax) throw new MetadataTooLargeError(path, bytesMax);
      assertSoundMetadata(path, bytes);
      return bytes;
    } catch (cause) {
      if (!(cause instanceof tufErrors.DownloadHTTPError)) this.#failure = cause as TrustError;
      throw cause;
    }
  }

  downloadFile(): Promise<never> {
    return Promise.reject(new Error('packages are fetched by the node itself, in ranges; this fetcher reads metadata only'));
  }

  /** For a next root "not there" means "yours is the newest"; for any other file it is a failure that a new list of links may mend. */
  #absent(path: string): never {
    if (!path.endsWith('.root.json')) this.#failure = new MetadataUnavailableError(path, 'the repository does not list it', NOT_FOUND);
    throw new tufErrors.DownloadHTTPError(`${path} is not there`, NOT_FOUND);
  }
}

import type { Documents, MessageContext, Output } from '@edgeloop/bus';
import { ReleasePublished, ReleaseRefused, type ChannelName, type PackageBuilt, type PayloadOf } from '@edgeloop/contracts';
import { PACKAGE_BYTES_MAX, PackageRefusedError, manifestText, readPackage } from '@edgeloop/model-package';
import { isoOf, type Clock, type Logger } from '@edgeloop/runtime';
import {
  DigestMismatchError,
  ObjectNotFoundError,
  ObjectTooLargeError,
  digestOf,
  hexOf,
  readVerified,
  type ObjectStore,
} from '@edgeloop/store';
import { repositoryPathOf, targetPathOf } from '@edgeloop/trust';
import { moveChannel, type Channel } from '../domain/channel.ts';
import {
  claim,
  holds,
  isPublished,
  publish,
  refuse,
  type Candidate,
  type Decision,
  type Release,
  type ReleaseRefusal,
} from '../domain/release.ts';
import type { ArtifactRepository } from '../ports.ts';
import type { MetadataWriter } from './metadata-writer.ts';
import { readAsNode } from './read-as-node.ts';

type Package = PayloadOf<typeof PackageBuilt>;

export interface PublishReleaseParts {
  /** Where packages wait. */
  readonly store: ObjectStore;
  readonly repository: ArtifactRepository;
  readonly metadata: MetadataWriter;
  readonly releases: Documents<Release>;
  readonly channels: Documents<Channel>;
  readonly channel: ChannelName;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What lies in the repository is not what was put there. */
export class ReadBackError extends Error {
  override readonly name = 'ReadBackError';
  readonly retryable = true;
  readonly path: string;
  constructor(path: string, expected: string, actual: string) {
    super(`${path} was written as ${expected} and read back as ${actual}: the artifact repository damages files`);
    this.path = path;
  }
}

interface Refusal {
  readonly cause: ReleaseRefusal;
  readonly reason: string;
}

/** Makes an immutable, signed release of a package; every step may be repeated, and none is announced before it is proved. */
export class PublishRelease {
  readonly #parts: PublishReleaseParts;

  constructor(parts: PublishReleaseParts) {
    this.#parts = parts;
  }

  async handle(built: Package, context: MessageContext): Promise<void> {
    const candidate = candidateOf(built, this.#parts.channel);
    const known = await this.#parts.releases.load(candidate.releaseId);
    if (isPublished(known?.state, candidate.packageDigest)) return;
    const archive = await this.#fetch(built);
    if (!(archive instanceof Uint8Array)) return await this.#refuse(candidate, archive, context);
    const release = await this.#decide(candidate, (state) => claim(state, candidate), context);
    if (!holds(release, candidate.packageDigest)) return this.#log('package refused', candidate, context);
    await this.#putPackage(candidate, archive);
    await this.#parts.metadata.addTarget({ path: candidate.targetPath, bytes: candidate.packageBytes, digest: candidate.packageDigest });
    await this.#proveSigned(candidate);
    await this.#moveChannel(candidate, context);
    await this.#decide(candidate, (state) => publish(state, candidate.packageDigest, isoOf(this.#parts.clock.now())), context);
    this.#log('release published', candidate, context);
  }

  /** The package as the packager said it is: its bytes, its files, its manifest. */
  async #fetch({ archive, manifest }: Package): Promise<Uint8Array | Refusal> {
    try {
      const bytes = await readVerified(this.#parts.store, archive);
      const inside = await readPackage(bytes);
      if (manifestText(inside) === manifestText(manifest)) return bytes;
      return { cause: 'manifest-differs', reason: 'the manifest inside of the archive is not the one that was announced' };
    } catch (cause) {
      if (cause instanceof ObjectNotFoundError) return { cause: 'archive-missing', reason: cause.message };
      if (cause instanceof DigestMismatchError || cause instanceof ObjectTooLargeError)
        return { cause: 'archive-damaged', reason: cause.message };
      if (cause instanceof PackageRefusedError) return { cause: 'archive-refused', reason: cause.message };
      throw cause;
    }
  }

  async #refuse(candidate: Candidate, refusal: Refusal, context: MessageContext): Promise<void> {
    await this.#decide(candidate, (state) => refuse(state, candidate, refusal), context);
    this.#log('package refused', candidate, context, refusal);
  }

  async #decide(
    candidate: Candidate,
    decide: (state: Release | undefined) => Decision | undefined,
    context: MessageContext,
  ): Promise<Release | undefined> {
    return await this.#parts.releases.update(
      candidate.releaseId,
      (state) => {
        const decision = decide(state);
        return decision && { state: decision.release, outputs: decision.events.map(outputOf) };
      },
      context,
    );
  }

  async #putPackage(candidate: Candidate, archive: Uint8Array): Promise<void> {
    const path = repositoryPathOf(candidate.targetPath, hexOf(candidate.packageDigest));
    await this.#parts.repository.put(path, archive, { mode: 'create', contentType: 'application/zip' });
    const digest = digestOf(await this.#parts.repository.get(path, PACKAGE_BYTES_MAX));
    if (digest !== candidate.packageDigest) throw new ReadBackError(path, candidate.packageDigest, digest);
  }

  async #proveSigned(candidate: Candidate): Promise<void> {
    const target = await readAsNode(this.#parts.repository, candidate.targetPath, this.#parts.clock);
    if (target.digest !== candidate.packageDigest) throw new ReadBackError(candidate.targetPath, candidate.packageDigest, target.digest);
  }

  async #moveChannel({ channel, releaseId, name, version }: Candidate, context: MessageContext): Promise<void> {
    await this.#parts.channels.update(
      channel,
      (present) => {
        const moved = moveChannel(present, { channel, releaseId, name, version });
        return moved && { state: moved };
      },
      context,
    );
  }

  #log(message: 'release published' | 'package refused', candidate: Candidate, context: MessageContext, refusal?: Refusal): void {
    const { releaseId, packageId, packageDigest } = candidate;
    const fields = { releaseId, packageId, packageDigest, messageId: context.id, correlationId: context.correlationId, ...refusal };
    if (message === 'release published') this.#parts.log.info(fields, message);
    else this.#parts.log.warn(fields, message);
  }
}

function candidateOf({ packageId, runId, archive, model, manifest }: Package, channel: ChannelName): Candidate {
  const { name, version, classes, digest } = manifest.model;
  return {
    releaseId: `${name}-${version}`,
    packageId,
    runId,
    name,
    version,
    channel,
    targetPath: targetPathOf(name, version),
    packageDigest: archive.digest,
    packageBytes: archive.bytes,
    modelDigest: digest,
    model,
    classes,
  };
}

function outputOf(event: Decision['events'][number]): Output {
  if (event.type === 'published') return { contract: ReleasePublished, id: event.id, payload: event.holder };
  const { id, releaseId, packageId, cause, reason } = event;
  return { contract: ReleaseRefused, id, payload: { releaseId, packageId, cause, reason: reason.slice(0, 2000) } };
}

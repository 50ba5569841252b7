import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Digest, ObjectRef } from '@edgeloop/contracts';
import { checksumOf, digestFromChecksum, digestOf } from './digest.ts';
import { AlreadyExistsWithOtherBytesError, DigestMismatchError, ObjectNotFoundError, ObjectTooLargeError } from './errors.ts';
import {
  PRESIGN_SECONDS_MAX,
  READ_BYTES_MAX,
  type ObjectAt,
  type ObjectInfo,
  type ObjectStore,
  type OpenObject,
  type PutOptions,
  type ReadLimits,
} from './object-store.ts';
import { type RetryLimits, STORE_RETRIES, withRetries } from './retries.ts';
import { codeOf, statusOf } from './s3-failure.ts';
import { capped, gather } from './size-cap.ts';

export interface S3Address {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
}

const CONNECT_MS = 3_000;
/** Silence of this length on an open connection ends the attempt. */
const SILENCE_MS = 20_000;

/**
 * Path style, one attempt a call: retries are ours, with jitter and a named limit.
 * Checksums only where we ask for them: the SDK's default would sign the checksum of an empty body into every link.
 */
export function s3Client(address: S3Address): S3Client {
  return new S3Client({
    endpoint: address.endpoint,
    region: address.region,
    credentials: { ...address.credentials },
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: SILENCE_MS },
  });
}

/** Any S3 server that verifies `x-amz-checksum-sha256` and honours `If-None-Match: *`. */
export class S3ObjectStore implements ObjectStore {
  readonly #client: S3Client;
  readonly #retries: RetryLimits;

  constructor(client: S3Client, retries: RetryLimits = STORE_RETRIES) {
    this.#client = client;
    this.#retries = retries;
  }

  async put(at: ObjectAt, bytes: Uint8Array, options: PutOptions = {}): Promise<ObjectRef> {
    const digest = digestOf(bytes);
    if (options.digest !== undefined && options.digest !== digest) throw new DigestMismatchError(at, options.digest, digest);
    const ref = { bucket: at.bucket, key: at.key, digest, bytes: bytes.length };
    const stored = await withRetries(at, this.#retries, () => this.#send(ref, bytes, options));
    if (!stored) await this.#expectSameBytes(ref);
    return ref;
  }

  read(at: ObjectAt, limits: ReadLimits = {}): Promise<Uint8Array> {
    return withRetries(at, this.#retries, async () => gather((await this.#openOnce(at, limits)).body));
  }

  open(at: ObjectAt, limits: ReadLimits = {}): Promise<OpenObject> {
    return withRetries(at, this.#retries, () => this.#openOnce(at, limits));
  }

  head(at: ObjectAt): Promise<ObjectInfo | undefined> {
    return withRetries(at, this.#retries, async () => {
      try {
        const found = await this.#client.send(new HeadObjectCommand({ Bucket: at.bucket, Key: at.key, ChecksumMode: 'ENABLED' }));
        const digest = found.ChecksumSHA256 === undefined ? {} : { digest: digestFromChecksum(found.ChecksumSHA256) };
        return {
          bucket: at.bucket,
          key: at.key,
          bytes: found.ContentLength ?? 0,
          modifiedAtMs: found.LastModified?.getTime() ?? 0,
          ...digest,
        };
      } catch (failure) {
        if (statusOf(failure) === 404) return undefined;
        throw failure;
      }
    });
  }

  async *list(bucket: string, prefix: string): AsyncIterable<ObjectInfo> {
    let token: string | undefined;
    do {
      const page = await this.#page(bucket, prefix, token);
      for (const entry of page.Contents ?? []) {
        yield { bucket, key: entry.Key ?? '', bytes: entry.Size ?? 0, modifiedAtMs: entry.LastModified?.getTime() ?? 0 };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async delete(at: ObjectAt): Promise<void> {
    await withRetries(at, this.#retries, () => this.#client.send(new DeleteObjectCommand({ Bucket: at.bucket, Key: at.key })));
  }

  presignGet(at: ObjectAt, expiresInSeconds: number): Promise<string> {
    const command = new GetObjectCommand({ Bucket: at.bucket, Key: at.key });
    return getSignedUrl(this.#client, command, { expiresIn: Math.min(expiresInSeconds, PRESIGN_SECONDS_MAX) });
  }

  /** False when the key is taken: by an earlier attempt of ours whose answer was lost, or by other bytes. */
  async #send(ref: ObjectRef, bytes: Uint8Array, options: PutOptions): Promise<boolean> {
    const create = (options.mode ?? 'create') === 'create';
    const command = new PutObjectCommand({
      Bucket: ref.bucket,
      Key: ref.key,
      Body: bytes,
      ContentLength: bytes.length,
      ContentType: options.contentType ?? 'application/octet-stream',
      ChecksumSHA256: checksumOf(ref.digest),
      ...(create ? { IfNoneMatch: '*' } : {}),
    });
    try {
      await this.#client.send(command);
      return true;
    } catch (failure) {
      if (create && (statusOf(failure) === 412 || codeOf(failure) === 'PreconditionFailed')) return false;
      throw failure;
    }
  }

  async #expectSameBytes(ref: ObjectRef): Promise<void> {
    const stored = await this.#storedDigest(ref);
    if (stored !== ref.digest) throw new AlreadyExistsWithOtherBytesError(ref, ref.digest, stored);
  }

  async #storedDigest(ref: ObjectRef): Promise<Digest> {
    const info = await this.head(ref);
    if (info === undefined) throw new ObjectNotFoundError(ref);
    return info.digest ?? digestOf(await this.read(ref));
  }

  async #openOnce(at: ObjectAt, { bytesMax = READ_BYTES_MAX }: ReadLimits): Promise<OpenObject> {
    const answer: GetObjectCommandOutput = await this.#client.send(new GetObjectCommand({ Bucket: at.bucket, Key: at.key }));
    const body = answer.Body as Readable;
    const bytes = answer.ContentLength ?? 0;
    if (bytes > bytesMax) {
      body.destroy();
      throw new ObjectTooLargeError(at, bytesMax);
    }
    return { bytes, body: capped(at, body, bytesMax) };
  }

  #page(bucket: string, prefix: string, token: string | undefined): Promise<ListObjectsV2CommandOutput> {
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    });
    return withRetries({ bucket, key: prefix }, this.#retries, () => this.#client.send(command));
  }
}

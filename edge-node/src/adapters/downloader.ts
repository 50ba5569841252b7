import { open, rm, truncate } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sleep } from '@edgeloop/runtime';
import { StepFailedError } from '../domain/failure.ts';
import type { FailureReason, FailureSeverity } from '../domain/failure.ts';
import { errorCode, errorText, syncDirectory } from './durable-files.ts';
import { assertSpace } from './free-space.ts';
import { hashOf, sizeOf } from './slots.ts';

export interface DownloadRequest {
  /** A link that is good now; asked again when one has expired. Undefined: the repository does not have it (yet). */
  readonly link: () => Promise<string | undefined>;
  /** Where the bytes gather, on the file system where they will stay. */
  readonly path: string;
  /** Signed length: not one byte more is read. */
  readonly bytes: number;
  /** Signed hash of the whole file. */
  readonly digest: string;
  readonly signal: AbortSignal;
}

export interface DownloadLimits {
  /** Bytes that must arrive in every window: a slow link may take hours, one that stands still may not. */
  readonly floorBytes: number;
  readonly floorWindowMs: number;
  /** Pause before going on after a connection broke. */
  readonly resumePauseMs: number;
}
export const DOWNLOAD_LIMITS: DownloadLimits = { floorBytes: 1_024, floorWindowMs: 60_000, resumePauseMs: 250 };
/** Broken connections in one download. */
export const RESUMES_MAX = 10_000;
/** Connections in a row that brought nothing; each asks for a fresh link. */
export const BARREN_MAX = 3;
/** What is free beside the package itself: it lies there once packed and once unpacked. */
const COPIES = 2;

/** Gets whole, checked files over HTTP ranges, going on where a broken connection or a killed agent left off. */
export class Downloader {
  readonly #limits: DownloadLimits;

  constructor(limits: DownloadLimits = DOWNLOAD_LIMITS) {
    this.#limits = limits;
  }

  /** Resolves when the file is whole, on the disk, and hashes to its digest. @throws StepFailedError */
  async download(request: DownloadRequest): Promise<void> {
    await assertSpace(dirname(request.path), COPIES * request.bytes - ((await sizeOf(request.path)) ?? 0));
    let have = await this.#startAt(request);
    for (let resumes = 0, barren = 0; have < request.bytes; resumes += 1) {
      const before = have;
      const broken = await this.#fetchRest(request, have);
      have = (await sizeOf(request.path)) ?? 0;
      barren = have > before ? 0 : barren + 1;
      if (broken !== undefined && (barren >= BARREN_MAX || resumes >= RESUMES_MAX)) throw broken;
      if (broken !== undefined) await sleep(this.#limits.resumePauseMs, request.signal);
      request.signal.throwIfAborted();
    }
    await this.#assertDigest(request);
  }

  async #startAt({ path, bytes }: DownloadRequest): Promise<number> {
    const have = (await sizeOf(path)) ?? 0;
    if (have <= bytes) return have;
    await truncate(path, 0);
    return 0;
  }

  /** One connection. Returns why it broke, or undefined when the file has its full length. */
  async #fetchRest(request: DownloadRequest, offset: number): Promise<StepFailedError | undefined> {
    const stall = new AbortController();
    try {
      const response = await ask(request, offset, AbortSignal.any([request.signal, stall.signal]));
      if (response.status === 416) return await restart(request.path, 'the server has fewer bytes than were fetched before');
      assertOurs(response, request, offset);
      await this.#store(response, request, stall);
      return undefined;
    } catch (cause) {
      request.signal.throwIfAborted();
      if (stall.signal.aborted)
        return failed('too-slow', `fewer than ${this.#limits.floorBytes} bytes in ${this.#limits.floorWindowMs} ms`);
      if (cause instanceof StepFailedError) return await passOrThrow(cause);
      if (isDiskError(cause)) throw cause;
      return failed('unreachable', connectionWords(cause), 'wait', cause);
    }
  }

  async #store(response: Response, request: DownloadRequest, stall: AbortController): Promise<void> {
    const offset = response.status === 206 ? rangeOf(response).start : 0;
    const file = await openAt(request.path, offset);
    let at = offset;
    let inWindow = 0;
    const watch = setInterval(() => {
      if (inWindow < this.#limits.floorBytes) stall.abort();
      inWindow = 0;
    }, this.#limits.floorWindowMs);
    try {
      for await (const chunk of response.body ?? []) {
        if (at + chunk.byteLength > request.bytes) throw failed('not-our-content', `more than the signed ${request.bytes} bytes`, 'retry');
        await file.write(chunk, 0, chunk.byteLength, at);
        at += chunk.byteLength;
        inWindow += chunk.byteLength;
      }
    } finally {
      clearInterval(watch);
      await file.sync().finally(() => file.close());
    }
    if (at < request.bytes) throw failed('unreachable', `the connection ended at byte ${at} of ${request.bytes}`);
    await syncDirectory(dirname(request.path));
  }

  async #assertDigest({ path, digest }: DownloadRequest): Promise<void> {
    const found = await hashOf(path);
    if (found === digest) return;
    await rm(path, { force: true });
    throw failed('digest-mismatch', `the file hashes to ${found}, ${digest} is signed`, 'retry');
  }
}

async function ask(request: DownloadRequest, offset: number, signal: AbortSignal): Promise<Response> {
  const link = await request.link();
  if (link === undefined) throw failed('unreachable', 'there is no link to the package yet', 'wait');
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (offset > 0) headers['range'] = `bytes=${offset}-`;
  return fetch(link, { headers, redirect: 'error', signal });
}

/** A captive portal, an error page or another file must not be written to the disk. */
function assertOurs(response: Response, { bytes }: DownloadRequest, offset: number): void {
  const { status } = response;
  if (status === 206) {
    const { start, total } = rangeOf(response);
    if (start > offset || total !== bytes)
      throw failed('not-our-content', `range ${response.headers.get('content-range')}, ${bytes} bytes are signed`, 'retry');
    return;
  }
  if (status !== 200) throw failed('unreachable', `the store answered ${status}`, 'wait');
  const length = response.headers.get('content-length');
  if (length !== null && Number(length) !== bytes)
    throw failed('not-our-content', `${length} bytes are offered, ${bytes} are signed`, 'retry');
}

function rangeOf(response: Response): { start: number; total: number } {
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '') ?? [];
  if (start === undefined || total === undefined)
    throw failed('not-our-content', 'an answer in parts that does not say which part', 'retry');
  return { start: Number(start), total: Number(total) };
}

async function restart(path: string, why: string): Promise<StepFailedError> {
  await truncate(path, 0);
  return failed('not-our-content', why, 'retry');
}

/** Only a broken connection is worth going on from; everything else is for the caller. */
async function passOrThrow(cause: StepFailedError): Promise<StepFailedError> {
  if (cause.reason === 'unreachable') return cause;
  throw cause;
}

async function openAt(path: string, offset: number): Promise<FileHandle> {
  const file = await open(path, offset === 0 ? 'w' : 'r+', 0o600);
  if (offset > 0) await file.truncate(offset);
  return file;
}

function failed(reason: FailureReason, detail: string, severity: FailureSeverity = 'wait', cause?: unknown): StepFailedError {
  return new StepFailedError({ reason, detail, severity }, { cause });
}

const DISK_CODES = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'EPERM', 'EMFILE']);

function isDiskError(cause: unknown): boolean {
  return DISK_CODES.has(errorCode(cause) ?? '');
}

function connectionWords(cause: unknown): string {
  const inner = (cause as { cause?: unknown } | null)?.cause;
  return errorCode(inner) ?? errorText(inner ?? cause);
}

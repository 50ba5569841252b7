import { constants } from 'node:fs';
import { open, rm, truncate } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { dirname } from 'node:path';
import { sleep } from '@edgeloop/runtime';
import { StepFailedError } from '../domain/failure.ts';
import type { FailureReason, FailureSeverity } from '../domain/failure.ts';
import { errorText } from '../domain/error-text.ts';
import { errorCode, syncDirectory } from './durable-files.ts';
import { assertSpace } from './free-space.ts';
import { httpGet, takeBody } from './http-body.ts';
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

interface Transfer {
  readonly request: DownloadRequest;
  readonly file: FileHandle;
  readonly offset: number;
  readonly stall: AbortController;
}

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
    await syncDirectory(dirname(request.path));
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
    const file = await open(request.path, constants.O_RDWR | constants.O_CREAT, 0o600);
    let response: IncomingMessage | undefined;
    try {
      response = await ask(request, offset, AbortSignal.any([request.signal, stall.signal]));
      await this.#store(response, { request, file, offset, stall });
      return undefined;
    } catch (cause) {
      request.signal.throwIfAborted();
      if (stall.signal.aborted)
        return failed('too-slow', `fewer than ${this.#limits.floorBytes} bytes in ${this.#limits.floorWindowMs} ms`);
      return resumable(cause);
    } finally {
      response?.destroy();
      await closeSynced(file);
    }
  }

  /** Nothing is awaited before the body is listened to: what breaks in between would never be heard of. */
  async #store(response: IncomingMessage, { request, file, offset, stall }: Transfer): Promise<void> {
    let at = startOf(response, request, offset);
    let inWindow = 0;
    const watch = setInterval(() => {
      if (inWindow < this.#limits.floorBytes) stall.abort();
      inWindow = 0;
    }, this.#limits.floorWindowMs);
    try {
      await takeBody(response, async (chunk) => {
        if (at + chunk.length > request.bytes) throw failed('not-our-content', `more than the signed ${request.bytes} bytes`, 'retry');
        await file.write(chunk, 0, chunk.length, at);
        at += chunk.length;
        inWindow += chunk.length;
      });
    } finally {
      clearInterval(watch);
      if (at < offset) await file.truncate(at);
    }
    if (at < request.bytes) throw failed('unreachable', `the connection ended at byte ${at} of ${request.bytes}`);
  }

  async #assertDigest({ path, digest }: DownloadRequest): Promise<void> {
    const found = await hashOf(path);
    if (found === digest) return;
    await rm(path, { force: true });
    throw failed('digest-mismatch', `the file hashes to ${found}, ${digest} is signed`, 'retry');
  }
}

async function ask(request: DownloadRequest, offset: number, signal: AbortSignal): Promise<IncomingMessage> {
  const link = await request.link();
  if (link === undefined) throw failed('unreachable', 'there is no link to the package yet', 'wait');
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (offset > 0) headers['range'] = `bytes=${offset}-`;
  return httpGet(link, headers, signal);
}

async function closeSynced(file: FileHandle): Promise<void> {
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Where the body begins. A captive portal, an error page or another file must not be written to the disk. */
function startOf(response: IncomingMessage, { bytes }: DownloadRequest, offset: number): number {
  const { statusCode: status, headers } = response;
  if (status === 206) {
    const { start, total } = rangeOf(response);
    if (start <= offset && total === bytes) return start;
    throw failed('not-our-content', `range ${headers['content-range']}, ${bytes} bytes are signed`, 'retry');
  }
  if (status === 416) throw failed('not-our-content', `the store has fewer than the signed ${bytes} bytes`, 'retry');
  if (status !== 200) throw failed('unreachable', `the store answered ${status}`, 'wait');
  const length = headers['content-length'];
  if (length === undefined || Number(length) === bytes) return 0;
  throw failed('not-our-content', `${length} bytes are offered, ${bytes} are signed`, 'retry');
}

function rangeOf(response: IncomingMessage): { start: number; total: number } {
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers['content-range'] ?? '') ?? [];
  if (start === undefined || total === undefined)
    throw failed('not-our-content', 'an answer in parts that does not say which part', 'retry');
  return { start: Number(start), total: Number(total) };
}

/** Only a broken connection is worth going on from; everything else is thrown on. */
function resumable(cause: unknown): StepFailedError {
  if (cause instanceof StepFailedError) {
    if (cause.reason === 'unreachable') return cause;
    throw cause;
  }
  if (DISK_CODES.has(errorCode(cause) ?? '')) throw cause;
  return failed('unreachable', errorCode(cause) ?? errorText(cause), 'wait', cause);
}

const DISK_CODES = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'EPERM', 'EMFILE']);

function failed(reason: FailureReason, detail: string, severity: FailureSeverity = 'wait', cause?: unknown): StepFailedError {
  return new StepFailedError({ reason, detail, severity }, { cause });
}

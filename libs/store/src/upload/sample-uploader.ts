import type { ObjectRef } from '@edgeloop/contracts';
import { digestFromHex, sha256Hex } from '../digest.ts';
import { saysSessionEnded } from '../errors.ts';
import { httpPut, type HttpAnswer } from './http-put.ts';
import { signedPutHeaders } from './sigv4-put.ts';
import { RENEW_AT_SHARE, UPLOAD_SESSION_MS, type SessionCredentials } from './upload-session.ts';

/** What a node holds after it opened an answer to its request for upload rights. */
export interface HeldGrant {
  readonly bucket: string;
  readonly keyPrefix: string;
  readonly credentials: SessionCredentials;
}

/** Asks for rights; undefined when none are to be had now. */
export type ObtainGrant = () => Promise<HeldGrant | undefined>;

export type UploadOutcome =
  /** The object is in the store; `already` when an earlier attempt of ours had put it there. */
  | { readonly kind: 'stored'; readonly object: ObjectRef; readonly already: boolean }
  /** Nothing is wrong with the sample: keep it and try again, not before `retryAfterMs`. */
  | {
      readonly kind: 'later';
      readonly cause: 'no-grant' | 'unreachable' | 'store-busy' | 'session-ended';
      readonly detail: string;
      readonly retryAfterMs: number;
    }
  /** The store will not take this object from this node whatever happens; somebody has to look. */
  | { readonly kind: 'refused'; readonly cause: 'forbidden' | 'damaged' | 'rejected'; readonly detail: string };

export interface SampleUploaderOptions {
  readonly obtain: ObtainGrant;
  /** A clock that only runs forward, in milliseconds; a node's wall clock may be wrong. */
  readonly monotonicMs: () => number;
  /** Wall clock for signatures; the server's `Date` header corrects it after the first refusal. */
  readonly nowMs: () => number;
}

const RETRY_LATER_MS = 5_000;
const RETRY_BUSY_MS = 2_000;

/** Puts samples under their own hash, create-only, with rights that it renews in time. One upload at a time. */
export class SampleUploader {
  readonly #options: SampleUploaderOptions;
  #grant: { readonly held: HeldGrant; readonly renewAtMs: number } | undefined;
  #clockOffsetMs = 0;

  constructor(options: SampleUploaderOptions) {
    this.#options = options;
  }

  /** Forgets the rights, for example when the campaign changed. */
  forget(): void {
    this.#grant = undefined;
  }

  /** Never throws for what a network or a store can do. `bytes` must be a whole JPEG. */
  async upload(bytes: Uint8Array): Promise<UploadOutcome> {
    const first = await this.#attempt(bytes);
    if (first.kind !== 'again') return first;
    const second = await this.#attempt(bytes);
    return second.kind === 'again' ? later('session-ended', second.detail, RETRY_LATER_MS) : second;
  }

  async #attempt(bytes: Uint8Array): Promise<UploadOutcome | { readonly kind: 'again'; readonly detail: string }> {
    const held = await this.#heldGrant();
    if (held === undefined) return later('no-grant', 'no upload rights now', RETRY_LATER_MS);
    const object = objectOf(held, bytes);
    const answer = await this.#send(held, object, bytes).catch((failure: unknown) => unreachable(failure));
    if ('kind' in answer) return answer;
    return this.#judge(answer, object);
  }

  async #heldGrant(): Promise<HeldGrant | undefined> {
    if (this.#grant !== undefined && this.#options.monotonicMs() < this.#grant.renewAtMs) return this.#grant.held;
    const askedAtMs = this.#options.monotonicMs();
    const held = await this.#options.obtain();
    this.#grant = held === undefined ? undefined : { held, renewAtMs: askedAtMs + UPLOAD_SESSION_MS * RENEW_AT_SHARE };
    return held;
  }

  #send(held: HeldGrant, object: ObjectRef, bytes: Uint8Array): Promise<HttpAnswer> {
    const url = new URL(`/${object.bucket}/${object.key}`, held.credentials.endpoint);
    const headers = signedPutHeaders({
      url,
      bodySha256Hex: object.digest.slice('sha256:'.length),
      contentType: 'image/jpeg',
      credentials: held.credentials,
      nowMs: this.#options.nowMs() + this.#clockOffsetMs,
    });
    return httpPut(url, headers, bytes);
  }

  #judge(answer: HttpAnswer, object: ObjectRef): UploadOutcome | { readonly kind: 'again'; readonly detail: string } {
    const { status } = answer;
    // The key is the hash of the bytes and lies below a prefix that only this node may write: taken means ours.
    if (status === 200 || status === 412) return { kind: 'stored', object, already: status === 412 };
    const code = /<Code>([^<]{1,100})<\/Code>/.exec(answer.text)?.[1] ?? `HTTP ${status}`;
    if (saysSessionEnded(code)) return this.#again(code);
    if (code === 'RequestTimeTooSkewed' || code === 'RequestExpired') return this.#correctClock(answer, code);
    if (status === 409 || status === 408 || status === 429 || status >= 500) return later('store-busy', code, retryAfterOf(answer));
    if (status === 401 || status === 403) return { kind: 'refused', cause: 'forbidden', detail: code };
    return { kind: 'refused', cause: code === 'BadDigest' ? 'damaged' : 'rejected', detail: code };
  }

  #again(detail: string): { readonly kind: 'again'; readonly detail: string } {
    this.forget();
    return { kind: 'again', detail };
  }

  #correctClock(answer: HttpAnswer, detail: string): { readonly kind: 'again'; readonly detail: string } {
    const serverMs = Date.parse(String(answer.headers['date']));
    if (Number.isFinite(serverMs)) this.#clockOffsetMs = serverMs - this.#options.nowMs();
    return { kind: 'again', detail };
  }
}

function objectOf(held: HeldGrant, bytes: Uint8Array): ObjectRef {
  const hex = sha256Hex(bytes);
  return { bucket: held.bucket, key: `${held.keyPrefix}${hex}.jpg`, digest: digestFromHex(hex), bytes: bytes.length };
}

function later(cause: 'no-grant' | 'unreachable' | 'store-busy' | 'session-ended', detail: string, retryAfterMs: number): UploadOutcome {
  return { kind: 'later', cause, detail, retryAfterMs };
}

function unreachable(failure: unknown): UploadOutcome {
  const { code, message } = failure as { code?: string; message?: string };
  return later('unreachable', code ?? message ?? 'no answer', RETRY_LATER_MS);
}

function retryAfterOf(answer: HttpAnswer): number {
  const seconds = Number(answer.headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : RETRY_BUSY_MS;
}

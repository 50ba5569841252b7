import { ObjectNotFoundError, ObjectStoreError, StoreForbiddenError, StoreRejectedError, StoreUnavailableError } from './errors.ts';
import type { ObjectAt } from './object-store.ts';

/** What the SDK's errors, the servers' answers and Node's network errors have in common. */
interface ServiceFailure {
  readonly name?: string;
  readonly code?: string;
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Record<string, string> };
}

/** Says "not now" with a status that else means "never". */
const RETRYABLE_CODES = new Set(['ConditionalRequestConflict', 'OperationAborted', 'RequestTimeout', 'RequestTimeTooSkewed', 'SlowDown']);
const RETRYABLE_STATUSES = new Set([408, 429]);

export function codeOf(failure: unknown): string {
  const { Code, code, name } = failure as ServiceFailure;
  return Code ?? (name === undefined || name === 'Error' ? (code ?? 'Unknown') : name);
}

export function statusOf(failure: unknown): number | undefined {
  return (failure as ServiceFailure).$metadata?.httpStatusCode;
}

/** No status at all means that no answer came: the network, a timeout, a server that was killed. */
export function isRetryable(failure: unknown): boolean {
  if (failure instanceof ObjectStoreError) return failure.retryable;
  const status = statusOf(failure);
  return status === undefined || status >= 500 || RETRYABLE_STATUSES.has(status) || RETRYABLE_CODES.has(codeOf(failure));
}

/** Milliseconds that the server asks to wait; undefined when it does not say. */
export function retryAfterMs(failure: unknown): number | undefined {
  const seconds = Number((failure as ServiceFailure).$response?.headers?.['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

/** Our error for theirs; the cause is kept. */
export function storeErrorOf(at: ObjectAt, failure: unknown, attempts: number): ObjectStoreError {
  if (failure instanceof ObjectStoreError) return failure;
  const options = { cause: failure };
  const code = codeOf(failure);
  if (isRetryable(failure)) return new StoreUnavailableError(at, code, attempts, options);
  const status = statusOf(failure);
  if (status === 404 && code !== 'NoSuchBucket') return new ObjectNotFoundError(at, options);
  if (status === 401 || status === 403) return new StoreForbiddenError(at, code, options);
  return new StoreRejectedError(at, code, options);
}

import { describe, expect, it } from '@jest/globals';
import { ObjectNotFoundError, StoreForbiddenError, StoreRejectedError, StoreUnavailableError } from './errors.ts';
import { withRetries } from './retries.ts';

const at = { bucket: 'samples', key: 'n1/a' };
const limits = { attemptsMax: 4, firstMs: 1, maxMs: 2 };

function failing(...failures: readonly unknown[]): { attempt: () => Promise<string>; calls: () => number } {
  let calls = 0;
  const attempt = async (): Promise<string> => {
    const failure = failures[calls++];
    if (failure !== undefined) throw failure;
    return 'done';
  };
  return { attempt, calls: () => calls };
}

function answer(status: number, name: string): object {
  return { name, $metadata: { httpStatusCode: status } };
}

describe('retries', () => {
  it('bridges a store that slows down, restarts, or is written by two at once', async () => {
    const { attempt, calls } = failing(
      answer(503, 'SlowDown'),
      { name: 'Error', code: 'ECONNREFUSED' },
      answer(409, 'ConditionalRequestConflict'),
    );
    expect(await withRetries(at, limits, attempt)).toBe('done');
    expect(calls()).toBe(4);
  });

  it('gives up after the limit and says that later may be better', async () => {
    const { attempt, calls } = failing(...Array.from({ length: 9 }, () => answer(500, 'InternalError')));
    await expect(withRetries(at, limits, attempt)).rejects.toMatchObject({
      name: StoreUnavailableError.name,
      retryable: true,
      attempts: 4,
      code: 'InternalError',
    });
    expect(calls()).toBe(4);
  });

  it.each([
    [404, 'NoSuchKey', ObjectNotFoundError.name],
    [404, 'NoSuchBucket', StoreRejectedError.name],
    [403, 'AccessDenied', StoreForbiddenError.name],
    [400, 'BadDigest', StoreRejectedError.name],
  ])('does not repeat a %i %s', async (status, code, name) => {
    const { attempt, calls } = failing(answer(status, code));
    await expect(withRetries(at, limits, attempt)).rejects.toMatchObject({ name, retryable: false });
    expect(calls()).toBe(1);
  });
});

import { statfs } from 'node:fs/promises';
import { StepFailedError } from '../domain/failure.ts';
import type { Failure, FailureReason } from '../domain/failure.ts';
import { errorText } from '../domain/error-text.ts';
import { errorCode } from './durable-files.ts';

/** Left free whatever is installed: state, receipts and logs must go on. */
export const SPACE_RESERVE_BYTES = 16 * 1_048_576;

/** @throws StepFailedError `no-space`, with the bytes that are missing */
export async function assertSpace(folder: string, bytesNeeded: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const needed = bytesNeeded + SPACE_RESERVE_BYTES;
  if (free >= needed) return;
  throw new StepFailedError({
    reason: 'no-space',
    detail: `${needed} bytes are needed in ${folder} and ${free} are free: free ${needed - free} bytes`,
    severity: 'retry',
  });
}

const REASON_OF_CODE: Readonly<Record<string, FailureReason>> = { ENOSPC: 'no-space', EDQUOT: 'no-space', EROFS: 'read-only' };

/** What the disk said, as a failure of the step that asked; undefined when it was not the disk. */
export function diskFailure(cause: unknown): Failure | undefined {
  const code = errorCode(cause);
  if (code === undefined || !/^E[A-Z]+$/.test(code)) return undefined;
  return { reason: REASON_OF_CODE[code] ?? 'io-error', detail: `${code}: ${errorText(cause)}`, severity: 'retry' };
}

import { copyFile, truncate } from 'node:fs/promises';
import { logSize } from './log-tail.ts';

/** Bytes of a log before they are put aside; with what was put aside last, twice as many are kept. */
export const LOG_BYTES_MAX = 32 * 1024 * 1024;
const LOG_CHECK_MS = 60_000;

/**
 * Copies a log that has grown too long to `<path>.1` and empties it; true when it did. Its writer appends and goes on unaware. What
 * is written between the two steps is lost.
 */
export async function limitLog(path: string, bytesMax: number = LOG_BYTES_MAX): Promise<boolean> {
  if ((await logSize(path)) <= bytesMax) return false;
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
  return true;
}

/** Limits the log until the returned function is called. A full disk is no reason to end a program: it is tried again. */
export function keepLogLimited(path: string): () => void {
  const timer = setInterval(() => void limitLog(path).catch(() => undefined), LOG_CHECK_MS).unref();
  return () => clearInterval(timer);
}

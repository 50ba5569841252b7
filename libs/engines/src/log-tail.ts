import { open, stat } from 'node:fs/promises';

const TAIL_BYTES_MAX = 65_536;

/** Size of a log now; 0 when there is none. Lines written later start here. */
export async function logSize(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** The last lines written to `path` at or after byte `from`. */
export async function lastLogLines(path: string, from: number, count: number): Promise<string[]> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return [];
  try {
    const { size } = await file.stat();
    const start = Math.max(from, size - TAIL_BYTES_MAX, 0);
    const buffer = Buffer.alloc(Math.max(size - start, 0));
    await file.read(buffer, 0, buffer.length, start);
    return buffer.toString('utf8').split('\n').filter(Boolean).slice(-count);
  } finally {
    await file.close();
  }
}

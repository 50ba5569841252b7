import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** SHA-256 of a file, hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Whether the file is there and its bytes are those; false where there is none. */
export async function holds(path: string, hex: string): Promise<boolean> {
  return (await hashFile(path).catch((cause: { code?: string }) => (cause.code === 'ENOENT' ? undefined : Promise.reject(cause)))) === hex;
}

/**
 * A file of its own with bytes, or those of the file named: never another name of the same ones (a file system that can shares them
 * until one side is written). Whole or not at all.
 */
export async function placeFile(target: string, from: string | Uint8Array, mode: number): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const partial = `${target}.${randomUUID()}.part`;
  await (typeof from === 'string' ? copyFile(from, partial, constants.COPYFILE_FICLONE) : writeFile(partial, from));
  await chmod(partial, mode);
  await rename(partial, target);
}

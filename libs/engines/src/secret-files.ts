import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Only the owner may read what lies here. */
export const SECRET_FILE_MODE = 0o600;
export const SECRET_FOLDER_MODE = 0o700;

export async function secretFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: SECRET_FOLDER_MODE });
  return path;
}

/** Writes the file whole or not at all. */
export async function writeSecret(path: string, text: string): Promise<void> {
  await secretFolder(dirname(path));
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text, { mode: SECRET_FILE_MODE });
  await rename(draft, path);
}

/** The JSON kept at `path`; made and kept on first use. */
export async function keptSecret<T>(path: string, make: () => T): Promise<T> {
  const found = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw cause;
  });
  if (found !== undefined) return JSON.parse(found) as T;
  const made = make();
  await writeSecret(path, JSON.stringify(made, null, 2));
  return made;
}

import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const OWNED = /^(\d+)-/;

/** Removes what packagers that were killed left behind; folders are named `<process id>-<anything>`. */
export async function sweepWorkFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    const owner = OWNED.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Who holds a lock. `birth` tells a living holder from a stranger that was given the same pid later. */
export interface LockHolder {
  readonly pid: number;
  readonly startedAt: string;
  readonly birth: string;
}

export interface ProcessLock {
  release(): Promise<void>;
}

/** How often a lock that changes hands while we look is looked at again. */
const TAKEOVER_TRIES_MAX = 20;

/** A string that is the same for a process as long as it lives, and never the same for two; undefined when there is none. */
export function processBirth(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name (field 2) may hold spaces and brackets: count fields from its last bracket. Field 22 is the start tick.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Dead, and only not yet collected by its parent.
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const startTick = fields[19];
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${startTick}`;
  } catch {
    return process.platform === 'linux' ? undefined : birthFromPs(pid);
  }
}

function birthFromPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes the lock file at `path`, or tells who holds it. A lock whose holder is dead is taken over.
 * The file appears whole (link of a written file), so nobody ever reads half of one.
 */
export async function acquireLock(path: string): Promise<ProcessLock | { readonly holder: LockHolder }> {
  await mkdir(dirname(path), { recursive: true });
  const own: LockHolder = { pid: process.pid, startedAt: new Date().toISOString(), birth: processBirth(process.pid) ?? '' };
  const text = JSON.stringify({ ...own, nonce: randomUUID() });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < TAKEOVER_TRIES_MAX; attempt += 1) {
      if (await linked(draft, path)) return { release: () => releaseLock(path, text) };
      const found = await readFile(path, 'utf8').catch(() => undefined);
      if (found === undefined) continue;
      const holder = parseHolder(found);
      if (holder && processBirth(holder.pid) === holder.birth) return { holder };
      await removeStale(path, found);
    }
    throw new Error(`the lock ${path} changes hands all the time: remove it by hand if nothing runs`);
  } finally {
    await rm(draft, { force: true });
  }
}

function parseHolder(text: string): LockHolder | undefined {
  try {
    return JSON.parse(text) as LockHolder;
  } catch {
    return undefined;
  }
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
}

/** Two may find the same dead lock: whoever moved a lock that is not the dead one puts it back. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, 'utf8')) !== stale) await linked(aside, path);
  await rm(aside, { force: true });
}

async function releaseLock(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) await rm(path, { force: true });
}

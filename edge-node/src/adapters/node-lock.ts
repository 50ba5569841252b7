import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another agent lives in this folder. */
export class NodeFolderInUseError extends Error {
  override readonly name = 'NodeFolderInUseError';
  readonly retryable = false;
  readonly folder: string;
  constructor(folder: string, holder: string) {
    super(`another edge agent${holder} already uses ${folder}: stop it, or give this one a folder of its own (EDGELOOP_NODE_DIR)`);
    this.folder = folder;
  }
}

const SQLITE_BUSY = 5;

export interface NodeLock {
  release(): void;
}

/**
 * One agent a folder. The lock is a file lock that the kernel drops with the process, however it dies: there are no stale ones.
 * @throws NodeFolderInUseError
 */
export async function lockNodeFolder(folder: string): Promise<NodeLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const pidFile = join(folder, 'agent.pid');
  const database = new DatabaseSync(join(folder, 'agent.lock'));
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    if ((cause as { errcode?: unknown }).errcode !== SQLITE_BUSY) throw cause;
    const pid = await readFile(pidFile, 'utf8').catch(() => '');
    throw new NodeFolderInUseError(folder, pid === '' ? '' : ` (process ${pid.trim()})`);
  }
  await writeFile(pidFile, `${process.pid}\n`).catch(() => undefined);
  return { release: () => database.close() };
}

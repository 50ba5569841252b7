import { join } from 'node:path';
import { InstanceRunningError } from './errors.ts';
import { acquireLock, type ProcessLock } from './process-lock.ts';

/**
 * Makes this process the one that works on the data folder.
 * @throws InstanceRunningError when another living process does
 */
export async function claimDataDir(dataDir: string): Promise<ProcessLock> {
  const lock = await acquireLock(join(dataDir, 'instance.lock'));
  if ('holder' in lock) throw new InstanceRunningError(dataDir, lock.holder);
  return lock;
}

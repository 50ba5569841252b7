import { join } from 'node:path';
import { InstanceRunningError } from './errors.ts';
import { acquireLock, type ProcessLock } from './process-lock.ts';

/** Whoever starts engines without a word about it chose the folder by this variable. */
const ELSEWHERE = 'EDGELOOP_HOME=/another/folder';

/**
 * Makes this process the one that works on the data folder. `elsewhere`: what the user writes to choose another folder.
 * @throws InstanceRunningError when another living process does
 */
export async function claimDataDir(dataDir: string, elsewhere: string = ELSEWHERE): Promise<ProcessLock> {
  const lock = await acquireLock(join(dataDir, 'instance.lock'));
  if ('holder' in lock) throw new InstanceRunningError(dataDir, lock.holder, elsewhere);
  return lock;
}

import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const POLL_MS = 300;

/**
 * One set-up at a time: waits for another one's end (calling `onWait` once with its pid), then runs the task.
 * A lock left by a set-up that was killed is taken over.
 */
export async function withLock(path, onWait, task) {
  mkdirSync(dirname(path), { recursive: true });
  for (let told = false; !take(path);) {
    const holder = holderOf(path);
    if (holder === undefined || !isAlive(holder)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) onWait(holder);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const release = () => holderOf(path) === process.pid && rmSync(path, { force: true });
  process.once('exit', release);
  try {
    return await task();
  } finally {
    release();
    process.off('exit', release);
  }
}

/** A link of a written file: nobody ever reads an empty lock. */
function take(path) {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    linkSync(draft, path);
    return true;
  } catch (cause) {
    if (cause.code === 'EEXIST') return false;
    throw cause;
  } finally {
    rmSync(draft, { force: true });
  }
}

function holderOf(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (cause) {
    return cause.code === 'EPERM';
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

/** Guarded programs find their guards' tokens here; nested guards add theirs. */
export const GUARD_VARIABLE = 'EDGELOOP_GUARD';

/** How long programs have to end by themselves after their parent was killed, before they are killed too. */
export const ORPHAN_GRACE_MS = 2_000;

const token = randomUUID();
const guarded = new Set<number>();
let watchdog: ChildProcess | undefined;

/** The value of GUARD_VARIABLE for children of this process. */
export function guardToken(): string {
  return [process.env[GUARD_VARIABLE], token].filter(Boolean).join(':');
}

/** Starts the watchdog before the first child, so that no child is ever without one. */
export function guardReady(): void {
  if (watchdog) return;
  const script = new URL(import.meta.url.endsWith('.ts') ? './watchdog.ts' : './watchdog.js', import.meta.url);
  const child = spawn(process.execPath, [fileURLToPath(script), token, String(ORPHAN_GRACE_MS)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env.PATH ?? '' },
    detached: true,
  });
  watchdog = child;
  child.on('error', () => forgetWatchdog(child));
  child.on('exit', () => forgetWatchdog(child));
  child.stdin?.on('error', () => undefined); // a watchdog that was killed is replaced on exit
  // Neither the watchdog nor its pipe may keep this process alive.
  child.unref();
  (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  for (const pid of guarded) child.stdin?.write(`+${pid}\n`);
}

function forgetWatchdog(child: ChildProcess): void {
  if (watchdog !== child) return;
  watchdog = undefined;
  if (guarded.size > 0) guardReady();
}

export function guard(pid: number): void {
  guarded.add(pid);
  watchdog?.stdin?.write(`+${pid}\n`);
}

export function unguard(pid: number): void {
  guarded.delete(pid);
  watchdog?.stdin?.write(`-${pid}\n`);
  if (guarded.size > 0) return;
  const idle = watchdog;
  watchdog = undefined;
  idle?.stdin?.end('.\n');
}

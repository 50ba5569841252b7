/**
 * A process of its own that outlives its parent by a moment: it holds a pipe to the parent, and when the pipe closes
 * (the parent ended, however) it ends what the parent had started. Plain Node, no imports but node:*.
 *
 * Arguments: token, grace in milliseconds. Lines on standard input: `+<pid>` guard, `-<pid>` forget, `.` dismissed.
 */
import { readdirSync, readFileSync } from 'node:fs';

const token = process.argv[2] ?? '';
const graceMs = Number(process.argv[3]);
const guarded = new Set<number>();
let rest = '';

// Ctrl-C in a terminal reaches the whole foreground group: the guard must be the last to go.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => undefined);

process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk: string) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    // Dismissed: whatever carries the token from now on is another watchdog's.
    if (line === '.') process.exit(0);
    const pid = Number(line.slice(1));
    if (line.startsWith('+')) guarded.add(pid);
    else guarded.delete(pid);
  }
});
process.stdin.on('close', endAll);

function endAll(): void {
  for (const pid of guarded) signalGroup(pid, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  const poll = setInterval(() => {
    const alive = [...guarded].some((pid) => signalGroup(pid, 0));
    if (alive && Date.now() < deadline) return;
    clearInterval(poll);
    for (const pid of guarded) signalGroup(pid, 'SIGKILL');
    for (const pid of carriersOfToken()) signalOne(pid, 'SIGKILL');
  }, 50);
}

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  return signalOne(-pid, signal) || signalOne(pid, signal);
}

function signalOne(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Grandchildren that left their group, and a child started in the instant its parent died, still carry the token. */
function carriersOfToken(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((name) => environmentOf(name).includes(token))
      .map(Number);
  } catch {
    return [];
  }
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return '';
  }
}

import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { performance } from 'node:perf_hooks';

/** Share of the machine that other programs may use during a round. */
export const FOREIGN_SHARE_MAX = 0.1;

/** Repeats of one round that other programs disturbed; then it is taken as it is, so that a busy machine ends too. */
export const DISTURBED_ROUNDS_MAX = 2;

/** Kernel ticks per second of /proc/<pid>/stat, as on every Linux of today. */
const TICKS_PER_SECOND = 100;

/**
 * Runs the round again while other programs took more than their share of the machine. `pids` are the processes, besides this
 * one, whose work is part of the round.
 */
export async function undisturbed<T>(round: () => Promise<T>, pids: readonly (number | undefined)[] = []): Promise<T> {
  for (let disturbed = 0; ; disturbed++) {
    const before = { busy: busySeconds(), own: ownSeconds(pids), at: performance.now() };
    const result = await round();
    const capacity = ((performance.now() - before.at) / 1000) * availableParallelism();
    const foreign = busySeconds() - before.busy - (ownSeconds(pids) - before.own);
    if (foreign / capacity <= FOREIGN_SHARE_MAX || disturbed >= DISTURBED_ROUNDS_MAX) return result;
  }
}

function busySeconds(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000;
}

function ownSeconds(pids: readonly (number | undefined)[]): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + pids.reduce<number>((sum, pid) => sum + childSeconds(pid), 0);
}

/** utime and stime; zero where there is no /proc. */
function childSeconds(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

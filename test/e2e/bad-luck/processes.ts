import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

export interface RunningProcess {
  readonly pid: number;
  readonly command: string;
}

const HAS_PROC = process.platform === 'linux';

function read(pid: string, file: 'cmdline' | 'environ' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

/** Dead ones that only wait to be collected have neither a command line nor an environment. */
function fromProc(folder: string): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid: Number(pid), command: read(pid, 'cmdline').replaceAll('\0', ' ').trim(), environment: read(pid, 'environ') }))
    .filter(({ command, environment }) => command.includes(folder) || environment.includes(folder))
    .map(({ pid, command }) => ({ pid, command }));
}

/** Without /proc only command lines can be seen. */
function fromPs(folder: string): RunningProcess[] {
  const lines = execFileSync('ps', ['-axo', 'pid=,command='], { encoding: 'utf8' }).split('\n');
  return lines
    .filter((line) => line.includes(folder))
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim().replace(/^\d+\s+/, '') }));
}

/** Every process whose command line or environment names the folder: engines, services, nodes, steps, whoever started them. */
export function processesOf(folder: string): RunningProcess[] {
  return (HAS_PROC ? fromProc(folder) : fromPs(folder)).filter(({ pid }) => pid !== process.pid);
}

function childrenOf(parent: number): RunningProcess[] {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid=,command='], { encoding: 'utf8' }).split('\n');
  return lines
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((found) => found !== null && Number(found[2]) === parent)
    .map((found) => ({ pid: Number(found?.[1]), command: found?.[3] ?? '' }));
}

/** The process that ends a killed parent's children; nobody may outlive it, nor it them. */
export function watchdogOf(parent: number): RunningProcess | undefined {
  return childrenOf(parent).find(({ command }) => command.includes('watchdog.'));
}

/** False for a process that is gone, and for one that only waits to be collected. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !HAS_PROC || !/\) [ZX] /.test(read(String(pid), 'stat'));
}

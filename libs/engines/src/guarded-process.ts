import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { GUARD_VARIABLE, guard, guardReady, guardToken, unguard } from './guard.ts';
import { keepLogLimited } from './log-limit.ts';

export interface GuardedProgram {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard output and error are appended here; without it they are dropped, unless `stdio` says otherwise. */
  readonly logPath?: string;
  readonly stdio?: StdioOptions;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process that cannot outlive this process, even if this process is killed with SIGKILL. */
export interface GuardedProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly exited: Promise<ProcessExit>;
  /** True until the process has ended. */
  isAlive(): boolean;
  /** Sends the signal to the process alone; false when it is gone already. */
  kill(signal: NodeJS.Signals): boolean;
  /** SIGTERM, then SIGKILL for it and its children after `graceMs`. Idempotent. */
  stop(graceMs: number): Promise<ProcessExit>;
}

/** Starts a program in a process group of its own (Ctrl-C in the terminal reaches only us) under the guard. */
export async function spawnGuarded(program: GuardedProgram): Promise<GuardedProcess> {
  guardReady();
  const log = program.logPath === undefined ? undefined : openLog(program.logPath);
  const child = spawn(program.command, [...(program.args ?? [])], {
    cwd: program.cwd,
    env: { ...program.env, [GUARD_VARIABLE]: guardToken() },
    stdio: program.stdio ?? ['ignore', log ?? 'ignore', log ?? 'ignore'],
    detached: true,
  });
  if (child.pid !== undefined) guard(child.pid);
  const exited = exitOf(child);
  if (log !== undefined) closeSync(log);
  await started(child);
  if (program.logPath !== undefined) void exited.then(keepLogLimited(program.logPath));
  return handle(child, exited);
}

function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  return openSync(path, 'a', 0o600);
}

function exitOf(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      sweepGroup(child.pid);
      resolve({ code, signal });
    });
  });
}

/** What the program itself started must not outlive it: its group is empty now, or is emptied. */
function sweepGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  signalQuietly(-pid, 'SIGKILL');
  unguard(pid);
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

function handle(child: ChildProcess, exited: Promise<ProcessExit>): GuardedProcess {
  const pid = child.pid as number;
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const stop = async (graceMs: number): Promise<ProcessExit> => {
    if (isAlive()) child.kill('SIGTERM');
    const timer = setTimeout(() => signalQuietly(-pid, 'SIGKILL'), graceMs);
    return exited.finally(() => clearTimeout(timer));
  };
  return { pid, child, exited, isAlive, stop, kill: (signal) => isAlive() && child.kill(signal) };
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone already
  }
}

import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { type BackoffLimits, backoffMs, DEFAULT_BACKOFF, deathsInARow } from './backoff.ts';
import { ProgramStartError } from './errors.ts';
import { type GuardedProcess, type ProcessExit, spawnGuarded } from './guarded-process.ts';
import { lastLogLines, logSize } from './log-tail.ts';

/** One program to keep running. */
export interface SupervisedProgram {
  /** Unique; names the log too. Letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asked again and again until it says true (throwing is no); without it a program is ready once it runs. */
  readonly isReady?: (program: { readonly pid: number; readonly logPath: string }) => Promise<boolean>;
  /** Budget from start to readiness. */
  readonly readyMs?: number;
  /** False: its end is told, and that is all. Default true. */
  readonly restarts?: boolean;
}

export type ProgramState = 'starting' | 'running' | 'waiting' | 'ended';

export interface ProgramStatus {
  readonly name: string;
  readonly state: ProgramState;
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly lastExit: ProcessExit | undefined;
  readonly logPath: string;
}

export interface SupervisorEvents {
  /** A program is ready for the first time. */
  started: [{ readonly name: string; readonly pid: number }];
  /** `cause`: it ended, or was ended, before it was ready; says why, with the last lines of its log. */
  exited: [{ readonly name: string; readonly expected: boolean; readonly cause?: ProgramStartError } & ProcessExit];
  /** A program that had died is ready again. */
  restarted: [{ readonly name: string; readonly pid: number; readonly restarts: number }];
}

export interface SupervisorOptions {
  /** Each program's output is appended to `<logDir>/<name>.log`. */
  readonly logDir: string;
  readonly backoff?: BackoffLimits;
}

const READY_MS = 60_000;
const READY_POLL_MS = 50;
const STOP_MS = 10_000;
const LAST_LINES = 12;

interface Entry {
  readonly program: SupervisedProgram;
  readonly logPath: string;
  process: GuardedProcess | undefined;
  state: ProgramState;
  restarts: number;
  deaths: number;
  wanted: boolean;
  lastExit: ProcessExit | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** Starts programs, starts those that die again, and ends them all. None outlives this process, however it ends. */
export class Supervisor extends EventEmitter<SupervisorEvents> {
  readonly #logDir: string;
  readonly #backoff: BackoffLimits;
  readonly #entries = new Map<string, Entry>();

  constructor(options: SupervisorOptions) {
    super();
    this.#logDir = options.logDir;
    this.#backoff = options.backoff ?? DEFAULT_BACKOFF;
  }

  /** Resolves when the program is ready. @throws ProgramStartError when it ends or stays silent instead */
  async start(program: SupervisedProgram): Promise<void> {
    const running = this.#entries.get(program.name);
    if (running?.wanted) throw new Error(`the program ${program.name} is supervised already`);
    const logPath = join(this.#logDir, `${program.name}.log`);
    const entry: Entry = {
      program,
      logPath,
      process: undefined,
      state: 'starting',
      restarts: 0,
      deaths: 0,
      wanted: true,
      lastExit: undefined,
      timer: undefined,
    };
    this.#entries.set(program.name, entry);
    try {
      await this.#launch(entry);
    } catch (cause) {
      entry.wanted = false;
      entry.state = 'ended';
      throw cause;
    }
    this.emit('started', { name: program.name, pid: (entry.process as GuardedProcess).pid });
  }

  /** Sends a signal (SIGKILL by default), as bad luck would: the program is started again. False when it does not run. */
  kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): boolean {
    return this.#entries.get(name)?.process?.kill(signal) ?? false;
  }

  pid(name: string): number | undefined {
    const process = this.#entries.get(name)?.process;
    return process?.isAlive() ? process.pid : undefined;
  }

  status(): ProgramStatus[] {
    return [...this.#entries.values()].map(({ program, state, restarts, lastExit, logPath }) => ({
      name: program.name,
      state,
      pid: this.pid(program.name),
      restarts,
      lastExit,
      logPath,
    }));
  }

  /** SIGTERM, SIGKILL after `budgetMs`; it is not started again. */
  async stop(name: string, budgetMs: number = STOP_MS): Promise<void> {
    const entry = this.#entries.get(name);
    if (!entry) return;
    entry.wanted = false;
    clearTimeout(entry.timer);
    await entry.process?.stop(budgetMs);
    entry.state = 'ended';
  }

  /** Stops all at once; what still runs after `budgetMs` is killed. */
  async stopAll(budgetMs: number = STOP_MS): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((name) => this.stop(name, budgetMs)));
  }

  async #launch(entry: Entry): Promise<void> {
    const { program, logPath } = entry;
    const logFrom = await logSize(logPath);
    const fail = async (reason: string, cause?: unknown): Promise<never> => {
      throw new ProgramStartError(
        program.name,
        reason,
        { path: logPath, lastLines: await lastLogLines(logPath, logFrom, LAST_LINES) },
        { cause },
      );
    };
    const process = await spawnGuarded({ ...program, logPath }).catch((cause: unknown) => fail(`${program.command} cannot be run`, cause));
    if (!entry.wanted) {
      await process.stop(0);
      await fail('it was stopped while it started');
    }
    entry.process = process;
    const startedAt = Date.now();
    const failure = await this.#untilReady(entry, process);
    if (failure !== undefined) {
      await process.stop(0);
      await fail(failure);
    }
    entry.state = 'running';
    void process.exited.then((exit) => this.#afterExit(entry, exit, Date.now() - startedAt));
  }

  async #untilReady({ program, logPath }: Entry, process: GuardedProcess): Promise<string | undefined> {
    const budgetMs = program.readyMs ?? READY_MS;
    for (const deadline = Date.now() + budgetMs; Date.now() < deadline;) {
      if (!process.isAlive()) return `it ended with ${process.child.exitCode ?? process.child.signalCode}`;
      const isReady = program.isReady?.({ pid: process.pid, logPath }) ?? Promise.resolve(true);
      if (await isReady.catch(() => false)) return undefined;
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
    return `it was not ready within ${budgetMs} ms`;
  }

  #afterExit(entry: Entry, exit: ProcessExit, livedMs: number): void {
    entry.lastExit = exit;
    const expected = !entry.wanted;
    const goesOn = !expected && entry.program.restarts !== false;
    entry.state = goesOn ? 'waiting' : 'ended';
    if (!goesOn) entry.wanted = false;
    this.emit('exited', { name: entry.program.name, expected, ...exit });
    if (goesOn) this.#revive(entry, livedMs);
  }

  /** A program that dies again and again is tried for ever, at the capped pace: what it waits for may come back. */
  #revive(entry: Entry, livedMs: number): void {
    entry.deaths = deathsInARow(entry.deaths, livedMs, this.#backoff);
    entry.timer = setTimeout(() => void this.#relaunch(entry), backoffMs(entry.deaths, this.#backoff));
  }

  async #relaunch(entry: Entry): Promise<void> {
    if (!entry.wanted) return;
    entry.restarts += 1;
    entry.state = 'starting';
    try {
      await this.#launch(entry);
    } catch (cause) {
      entry.lastExit = (await entry.process?.exited) ?? entry.lastExit;
      entry.state = entry.wanted ? 'waiting' : 'ended';
      const exit = entry.lastExit ?? { code: null, signal: null };
      this.emit('exited', { name: entry.program.name, expected: !entry.wanted, cause: cause as ProgramStartError, ...exit });
      if (entry.wanted) this.#revive(entry, 0);
      return;
    }
    const pid = this.pid(entry.program.name);
    if (pid !== undefined) this.emit('restarted', { name: entry.program.name, pid, restarts: entry.restarts });
  }
}

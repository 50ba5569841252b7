import { EventEmitter } from 'node:events';
import { type BackoffLimits, backoffMs, DEFAULT_BACKOFF, deathsInARow } from './backoff.ts';
import { lastLogLines, logSize } from './log-tail.ts';
import { EngineStartError, PortInUseError } from './errors.ts';
import { endLeftover, rememberEngine } from './leftover.ts';
import { type GuardedProcess, type GuardedProgram, type ProcessExit, spawnGuarded } from './guarded-process.ts';

const LAST_LINES = 12;
const READY_POLL_MS = 25;
const ADDRESS_IN_USE = /address already in use|bind: permission denied/i;

export interface EngineLaunch extends GuardedProgram {
  readonly logPath: string;
  readonly ports: readonly number[];
  /** Where the running engine's process is remembered. */
  readonly pidPath: string;
}

/** What differs from engine to engine. */
export interface EngineRecipe {
  readonly name: string;
  /** Budget from start to readiness. */
  readonly readyMs: number;
  /** Budget from SIGTERM to SIGKILL. */
  readonly stopMs: number;
  /** Writes configuration and clears what a killed predecessor left; called before every start, with the same ports each time. */
  prepare(): Promise<EngineLaunch>;
  /** True once the engine answers; may throw while it does not. */
  isReady(pid: number): Promise<boolean>;
}

export interface EngineEvents {
  started: [{ readonly pid: number }];
  /** `expected` is true after `stop` or `restart`. */
  exited: [ProcessExit & { readonly expected: boolean }];
  /** It died so often that it is left alone; `start` tries again. */
  abandoned: [Error];
}

/** Deaths in a row after which an engine is left alone. */
const DEATHS_MAX = 12;

/** One engine that can be stopped, killed and started again on the same ports and data. One that dies by itself is started again. */
export class EngineProcess extends EventEmitter<EngineEvents> {
  readonly #recipe: EngineRecipe;
  readonly #backoff: BackoffLimits;
  #process: GuardedProcess | undefined;
  #wanted = false;
  #startedAt = 0;
  #deaths = 0;
  /** Starts and stops happen one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(recipe: EngineRecipe, backoff: BackoffLimits = DEFAULT_BACKOFF) {
    super();
    this.#recipe = recipe;
    this.#backoff = backoff;
  }

  get name(): string {
    return this.#recipe.name;
  }

  /** Process id of the running engine; undefined while it is down. */
  get pid(): number | undefined {
    return this.#process?.isAlive() ? this.#process.pid : undefined;
  }

  /** Resolves when the engine answers. @throws EngineStartError, PortInUseError */
  start(): Promise<void> {
    this.#wanted = true;
    return this.#inTurn(() => this.#start());
  }

  /** SIGTERM, then SIGKILL after the recipe's budget. */
  stop(): Promise<void> {
    this.#wanted = false;
    return this.#inTurn(() => this.#stop());
  }

  /** Ends the engine at once, as a crash would; resolves when it is gone. It comes back by itself; `restart` waits for that. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const process = this.#process;
    process?.kill(signal);
    await process?.exited;
  }

  /** Same ports, same data; a running one ends cleanly first. Resolves when it answers. */
  async restart(): Promise<void> {
    if (this.pid !== undefined) await this.stop();
    await this.start();
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(action);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #stop(): Promise<void> {
    if (!this.#wanted) await this.#process?.stop(this.#recipe.stopMs);
  }

  async #start(): Promise<void> {
    if (this.pid !== undefined || !this.#wanted) return;
    const launch = await this.#recipe.prepare();
    await endLeftover(launch.pidPath);
    const logFrom = await logSize(launch.logPath);
    const process = await this.#spawn(launch);
    this.#process = process;
    await rememberEngine(launch.pidPath, process.pid);
    const failure = await this.#untilReady(process);
    if (failure !== undefined) {
      await process.stop(0);
      throw await this.#startError(launch, logFrom, failure);
    }
    this.#startedAt = Date.now();
    this.emit('started', { pid: process.pid });
    void process.exited.then((exit) => this.#afterExit(exit));
  }

  #afterExit(exit: ProcessExit): void {
    const expected = !this.#wanted;
    this.emit('exited', { ...exit, expected });
    if (!expected) this.#revive(Date.now() - this.#startedAt);
  }

  #revive(livedMs: number): void {
    this.#deaths = deathsInARow(this.#deaths, livedMs, this.#backoff);
    const retry = (): void => void this.#inTurn(() => this.#start()).catch((cause: Error) => this.#afterFailure(cause));
    setTimeout(retry, backoffMs(this.#deaths, this.#backoff)).unref();
  }

  #afterFailure(cause: Error): void {
    if (this.#deaths < DEATHS_MAX) this.#revive(0);
    else this.emit('abandoned', cause);
  }

  async #spawn(launch: EngineLaunch): Promise<GuardedProcess> {
    try {
      return await spawnGuarded(launch);
    } catch (cause) {
      throw new EngineStartError(this.name, `${launch.command} cannot be run`, { path: launch.logPath, lastLines: [] }, { cause });
    }
  }

  async #untilReady(process: GuardedProcess): Promise<string | undefined> {
    const deadline = Date.now() + this.#recipe.readyMs;
    while (Date.now() < deadline) {
      if (!this.#wanted) return 'it was stopped';
      if (!process.isAlive()) return `it ended with ${process.child.exitCode ?? process.child.signalCode}`;
      if (await this.#recipe.isReady(process.pid).catch(() => false)) return undefined;
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
    return `it was not ready within ${this.#recipe.readyMs} ms`;
  }

  async #startError(launch: EngineLaunch, logFrom: number, reason: string): Promise<Error> {
    const lastLines = await lastLogLines(launch.logPath, logFrom, LAST_LINES);
    if (lastLines.some((line) => ADDRESS_IN_USE.test(line))) return new PortInUseError(this.name, launch.ports, lastLines);
    return new EngineStartError(this.name, reason, { path: launch.logPath, lastLines });
  }
}

/** Starts an engine whose ports were picked; another program may have taken one meanwhile, then others are picked. */
export async function startOnFreePorts<T extends { readonly process: EngineProcess }>(
  make: () => Promise<T>,
  triesMax: number,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const engine = await make();
    try {
      await engine.process.start();
      return engine;
    } catch (cause) {
      if ((cause as Error).name !== 'PortInUseError' || attempt >= triesMax) throw cause;
    }
  }
}

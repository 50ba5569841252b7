import { lastLogLines, logSize } from './log-tail.ts';
import { EngineStartError, PortInUseError } from './errors.ts';
import { type GuardedProcess, type GuardedProgram, type ProcessExit, spawnGuarded } from './guarded-process.ts';

const LAST_LINES = 12;
const READY_POLL_MS = 25;
const ADDRESS_IN_USE = /address already in use|bind: permission denied/i;

export interface EngineLaunch extends GuardedProgram {
  readonly logPath: string;
  readonly ports: readonly number[];
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

/** One engine that can be stopped, killed and started again on the same ports and data. */
export class EngineProcess {
  readonly #recipe: EngineRecipe;
  #process: GuardedProcess | undefined;
  #stopping = false;

  constructor(recipe: EngineRecipe) {
    this.#recipe = recipe;
  }

  get name(): string {
    return this.#recipe.name;
  }

  /** Process id of the running engine; undefined while it is down. */
  get pid(): number | undefined {
    return this.#process?.isAlive() ? this.#process.pid : undefined;
  }

  /** Settles when the running process ends, whoever ended it. `expected` is true after `stop`. */
  async exited(): Promise<ProcessExit & { readonly expected: boolean }> {
    const exit = (await this.#process?.exited) ?? { code: null, signal: null };
    return { ...exit, expected: this.#stopping };
  }

  /** @throws EngineStartError, PortInUseError */
  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    this.#stopping = false;
    const launch = await this.#recipe.prepare();
    const logFrom = await logSize(launch.logPath);
    const process = await this.#spawn(launch);
    this.#process = process;
    const failure = await this.#untilReady(process);
    if (failure === undefined) return;
    await process.stop(0);
    throw await this.#startError(launch, logFrom, failure);
  }

  /** SIGTERM, then SIGKILL after the recipe's budget. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#process?.stop(this.#recipe.stopMs);
  }

  /** Ends the engine at once, as a crash would; resolves when it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#process?.kill(signal);
    await this.#process?.exited;
  }

  /** Same ports, same data. Ends a running one first, cleanly. */
  async restart(): Promise<void> {
    if (this.pid !== undefined) await this.stop();
    await this.start();
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

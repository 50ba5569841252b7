import { open, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { connectBus } from '@edgeloop/bus';
import type { Bus } from '@edgeloop/bus';
import { Supervisor, startEngines } from '@edgeloop/engines';
import type { EngineProcess, Engines } from '@edgeloop/engines';
import { createLogger, orAborted } from '@edgeloop/runtime';
import { RUNNING_FILE } from '../connection.ts';
import type { RunningStack } from '../connection.ts';
import { EXAMPLE_BASE_MODEL, EXAMPLE_PROJECT, NODE_MAIN, SERVICES, pythonFile, serviceMain } from './programs.ts';
import type { ServiceName } from './programs.ts';

export type ServiceEnvironment = Readonly<Record<string, string>>;

export interface StackOptions {
  readonly dataDir: string;
  /** Overrides for one service each, on top of the engines' and the common variables. */
  readonly services?: Partial<Readonly<Record<ServiceName, ServiceEnvironment>>>;
  readonly logLevel?: string;
  /** What the user writes to choose another data folder; named where the present one is taken. */
  readonly elsewhere?: string;
  /** Aborted while the stack starts: what was started ends, and `start` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called as each part comes up. */
  readonly onProgress?: (text: string) => void;
}

export interface NodeOptions {
  readonly nodeId: string;
  readonly joinToken: string;
  readonly source: string;
  readonly environment?: ServiceEnvironment;
}

/** The terminal belongs to whoever started us; a bus that comes and goes is no news there. */
const QUIET = createLogger('stack', 'error');
/** How long a service may take until it says that it is ready. */
const SERVICE_READY_MS = 60_000;
const STOP_BUDGET_MS = 12_000;
const LOG_TAIL_BYTES = 64 * 1024;

/** The line that a program logs when it is ready, by the process that is asked about. */
async function saidReady({ pid, logPath }: { pid: number; logPath: string }): Promise<boolean> {
  const file = await open(logPath, 'r');
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - LOG_TAIL_BYTES);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const lines = buffer.subarray(0, bytesRead).toString('utf8').split('\n');
    return lines.some((line) => line.includes(`"pid":${pid},`) && line.includes('"msg":"ready"'));
  } finally {
    await file.close();
  }
}

/** Engines and all services on this machine, each its own process; dies as a whole, restarts its parts. */
export class Stack {
  readonly supervisor: Supervisor;
  readonly bus: Bus;
  readonly dataDir: string;
  readonly #engines: Engines;
  readonly #options: StackOptions;
  readonly #nodes = new Set<string>();
  #stopping: Promise<void> | undefined;

  private constructor(parts: { engines: Engines; supervisor: Supervisor; bus: Bus; options: StackOptions }) {
    this.#engines = parts.engines;
    this.supervisor = parts.supervisor;
    this.bus = parts.bus;
    this.#options = parts.options;
    this.dataDir = resolve(parts.options.dataDir);
  }

  /** Resolves when every service is ready. Whatever fails, nothing is left running. */
  static async start(options: StackOptions): Promise<Stack> {
    const dataDir = resolve(options.dataDir);
    options.signal?.throwIfAborted();
    options.onProgress?.('engines');
    const engines = await startEngines({ dataDir, elsewhere: options.elsewhere });
    const supervisor = new Supervisor({ logDir: join(dataDir, 'logs') });
    let bus: Bus | undefined;
    try {
      options.signal?.throwIfAborted();
      const { NATS_URL, NATS_CREDS } = engines.environment;
      bus = await connectBus({ service: 'stack', url: NATS_URL ?? '', log: QUIET, ...(NATS_CREDS ? { creds: { path: NATS_CREDS } } : {}) });
      await bus.provision();
      const stack = new Stack({ engines, supervisor, bus, options });
      await orAborted(stack.#startServices(), options.signal);
      await stack.#tellWhereWeAre();
      return stack;
    } catch (cause) {
      // A bus left open would look for its server for ever, and keep this process alive.
      await bus?.drain().catch(() => undefined);
      await supervisor.stopAll(STOP_BUDGET_MS);
      await engines.stop();
      throw cause;
    }
  }

  get environment(): Readonly<Record<string, string | undefined>> {
    return this.#engines.environment;
  }

  get engines(): readonly EngineProcess[] {
    return this.#engines.processes;
  }

  /** Whether a supervised program is an edge node and not a service. */
  isNode(program: string): boolean {
    return this.#nodes.has(program);
  }

  /** Starts an edge node as a process of its own beside the services. */
  async startNode(node: NodeOptions): Promise<void> {
    const folder = join(this.dataDir, 'nodes', node.nodeId);
    this.#nodes.add(node.nodeId);
    await this.supervisor.start({
      name: node.nodeId,
      command: process.execPath,
      args: [NODE_MAIN],
      env: {
        ...this.#common(),
        EDGELOOP_NODE_DIR: folder,
        EDGELOOP_NODE_ID: node.nodeId,
        EDGELOOP_JOIN_TOKEN: node.joinToken,
        EDGELOOP_SOURCE: node.source,
        ...node.environment,
      },
      isReady: saidReady,
      readyMs: SERVICE_READY_MS,
    });
  }

  /** Intake first, engines last. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await rm(join(this.dataDir, RUNNING_FILE), { force: true });
    await this.bus.drain().catch(() => undefined);
    await this.supervisor.stopAll(STOP_BUDGET_MS);
    await this.#engines.stop();
  }

  #common(): Record<string, string> {
    const passed = ['PATH', 'HOME', 'TMPDIR', 'USER', 'TZ'].flatMap((name) =>
      process.env[name] === undefined ? [] : [[name, process.env[name]] as const],
    );
    return { ...Object.fromEntries(passed), LOG_LEVEL: this.#options.logLevel ?? 'info', EDGELOOP_DATA_DIR: this.dataDir };
  }

  #environmentOf(service: ServiceName): Record<string, string | undefined> {
    const trainer = { TRAINER_PROJECT: EXAMPLE_PROJECT, TRAINER_BASE_MODEL: EXAMPLE_BASE_MODEL, EDGELOOP_PYTHON_FILE: pythonFile() };
    const own = service === 'trainer' ? trainer : {};
    const fromShell = Object.entries(process.env).filter(([name]) => name.startsWith(`${service.toUpperCase().replace('-BRIDGE', '')}_`));
    return {
      ...this.#common(),
      ...this.#engines.environment,
      ...own,
      ...Object.fromEntries(fromShell),
      ...this.#options.services?.[service],
    };
  }

  async #startServices(): Promise<void> {
    let ready = 0;
    await Promise.all(
      SERVICES.map(async (service) => {
        await this.supervisor.start({
          name: service,
          command: process.execPath,
          args: [serviceMain(service)],
          env: this.#environmentOf(service),
          isReady: saidReady,
          readyMs: SERVICE_READY_MS,
        });
        ready += 1;
        this.#options.onProgress?.(`services ${ready}/${SERVICES.length}`);
      }),
    );
  }

  async #tellWhereWeAre(): Promise<void> {
    const environment = Object.fromEntries(
      Object.entries(this.#engines.environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const running: RunningStack = { pid: process.pid, startedAt: new Date().toISOString(), environment };
    await writeFile(join(this.dataDir, RUNNING_FILE), JSON.stringify(running, null, 2), { mode: 0o600 });
  }
}

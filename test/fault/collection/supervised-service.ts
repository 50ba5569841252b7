import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnGuarded, type GuardedProcess } from '@edgeloop/engines';
import type { Victim } from '@edgeloop/testkit';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const RESTART_MS = 200;

/** A service as its own process, from its built files, started again whenever it ends: what every deployment does. */
export class SupervisedService implements Victim {
  readonly name: string;
  readonly logPath: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  #process: GuardedProcess | undefined;
  #stopping = false;
  #running: Promise<void> | undefined;
  starts = 0;

  constructor(name: string, options: { env: Readonly<Record<string, string | undefined>>; logDir: string }) {
    this.name = name;
    this.#env = options.env;
    this.logPath = join(options.logDir, `${name}.log`);
  }

  pid(): number | undefined {
    return this.#process?.isAlive() === true ? this.#process.pid : undefined;
  }

  start(): void {
    this.#running = this.#superviseForEver();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#process?.stop(10_000);
    await this.#running;
  }

  async #superviseForEver(): Promise<void> {
    while (!this.#stopping) {
      this.#process = await spawnGuarded({
        command: process.execPath,
        args: [join(REPOSITORY, 'services', this.name, 'dist', 'main.js')],
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...this.#env },
        logPath: this.logPath,
      });
      this.starts += 1;
      await this.#process.exited;
      await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
    }
  }
}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../edge-node/src/main.ts', import.meta.url));

/** The real agent in a process of its own, run from its sources. */
export class AgentProcess {
  readonly child: ChildProcess;
  /** Log lines, parsed. */
  readonly log: Record<string, unknown>[] = [];
  stderr = '';
  readonly exited: Promise<number | null>;

  constructor(environment: Readonly<Record<string, string>>) {
    this.child = spawn(process.execPath, ['--conditions=@edgeloop/source', '--no-warnings', MAIN], {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exited = once(this.child, 'exit').then(([code]) => code as number | null);
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.#take(line));
    this.child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  said(message: string): Record<string, unknown>[] {
    return this.log.filter((line) => line['msg'] === message);
  }

  /** Ends it the hard way, or asks it to end; resolves when it is gone. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return this.exited;
  }

  #take(line: string): void {
    try {
      this.log.push(JSON.parse(line) as Record<string, unknown>);
    } catch {
      this.log.push({ msg: line });
    }
  }
}

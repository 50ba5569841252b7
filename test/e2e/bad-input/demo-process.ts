import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { engineEnvironment, eventually } from '@edgeloop/testkit';

const ROOT = resolve(import.meta.dirname, '..', '..', '..');
const DEMO = join(ROOT, 'examples', 'demo', 'dist', 'main.js');
const EDGELOOP = join(ROOT, 'libs', 'cli', 'bin', 'edgeloop.mjs');
/** Of everything that a busy machine with two cores may need to start. */
export const START_LIMIT_MS = 120_000;
const END_LIMIT_MS = 60_000;

/** Engines and Python of the repository's own set-up: nothing is installed again. */
const SHARED = ['engines', 'python.json'] as const;

/** A home of its own for one suite, as a second checkout would have. */
export async function makeHome(options: { readonly at?: string; readonly without?: (typeof SHARED)[number] } = {}): Promise<string> {
  const shared = engineEnvironment()['EDGELOOP_HOME'] as string;
  const home = options.at ?? (await mkdtemp(join(tmpdir(), 'edgeloop-home-')));
  await mkdir(home, { recursive: true });
  for (const part of SHARED) if (part !== options.without) await symlink(resolve(shared, part), join(home, part));
  return home;
}

export const removeHome = (home: string): Promise<void> => rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** What a user reads on standard error, line by line, without the empty ones. */
  readonly said: readonly string[];
}

/** A program as a user runs it: its own process, its own group, its output kept. */
export class UserProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  #stderr = '';

  constructor(program: 'demo' | 'edgeloop', args: readonly string[], environment: Readonly<Record<string, string>>) {
    this.child = spawn(process.execPath, [program === 'demo' ? DEMO : EDGELOOP, ...args], {
      env: { ...engineEnvironment(), NO_COLOR: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (text: Buffer) => (this.stdout += text.toString('utf8')));
    this.child.stderr?.on('data', (text: Buffer) => (this.#stderr += text.toString('utf8')));
    this.ended = new Promise((done) => {
      this.child.once('close', (status, signal) => done({ status, signal, stdout: this.stdout, said: this.said }));
    });
  }

  get pid(): number {
    return this.child.pid as number;
  }

  get said(): readonly string[] {
    return this.#stderr.split('\n').filter((line) => line.trim() !== '');
  }

  /** Resolves when it printed this; fails at once when it ended without. */
  async untilPrinted(text: string): Promise<void> {
    const hasEnded = (): boolean => this.child.exitCode !== null || this.child.signalCode !== null;
    await eventually(
      () => {
        if (!this.stdout.includes(text) && !hasEnded()) throw new Error(`not printed yet: ${text}\n${this.stdout.slice(-2000)}`);
      },
      { deadlineMs: START_LIMIT_MS },
    );
    if (!this.stdout.includes(text)) throw new Error(`it ended without printing "${text}": ${this.said.join(' ')}\n${this.stdout}`);
  }

  /** Sends the signal to the program alone, as a service manager would; npm hands Ctrl-C on in the same way. */
  async end(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), END_LIMIT_MS);
    return this.ended.finally(() => clearTimeout(timer));
  }
}

/** Plays the demo to its end. */
export function demo(home: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new UserProcess('demo', args, { ...environment, EDGELOOP_HOME: home }).ended;
}

/** Runs one command of the command line tool to its end. */
export function edgeloop(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new UserProcess('edgeloop', args, environment).ended;
}

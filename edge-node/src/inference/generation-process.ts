import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { GenerationDiedError, GenerationMemoryError, GenerationStoppedError } from './errors.ts';
import type { GenerationError } from './errors.ts';
import { STDERR_CHARS_MAX } from './limits.ts';
import type { FromGeneration, ToGeneration } from './protocol.ts';
import { childFlags, moduleBeside } from './source-modules.ts';

/** What a model process may see of the agent's environment: no key, no token, no address. */
const ENVIRONMENT = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'LD_LIBRARY_PATH', 'SystemRoot', 'OMP_NUM_THREADS'] as const;

/** A device shares its memory with others. Garbage is collected early; the allocator of the C library keeps two arenas, not one per thread. */
const SMALL_HEAP = ['--optimize-for-size'] as const;
const FEW_ARENAS = { MALLOC_ARENA_MAX: '2' } as const;

/** The forked process: messages in and out, and one cause of its end. */
export class GenerationProcess {
  /** Resolves when the process is gone; never rejects. */
  readonly ended: Promise<GenerationError>;
  readonly #child: ChildProcess;
  readonly #memoryBytesMax: number | undefined;
  #cause: GenerationError | undefined;
  #stderr = '';

  constructor(memoryBytesMax: number | undefined) {
    this.#memoryBytesMax = memoryBytesMax;
    this.#child = fork(moduleBeside('generation-child'), [], {
      serialization: 'advanced',
      execArgv: [...childFlags, ...SMALL_HEAP],
      env: { ...FEW_ARENAS, ...Object.fromEntries(ENVIRONMENT.map((name) => [name, process.env[name]])) },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS_MAX);
    });
    this.#child.on('message', (message: FromGeneration) => {
      if (message.type === 'over-memory') this.#cause ??= new GenerationMemoryError(message.residentBytes, this.#memoryBytesMax ?? 0);
    });
    this.ended = this.#untilGone();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  onMessage(listener: (message: FromGeneration) => void): void {
    this.#child.on('message', listener);
  }

  /** The next message, or the cause of the end if that comes first. */
  firstMessage(): Promise<FromGeneration> {
    return new Promise((resolve, reject) => {
      this.#child.once('message', (message: FromGeneration) => {
        if (message.type === 'over-memory') return;
        resolve(message);
      });
      void this.ended.then(reject);
    });
  }

  /** A message to a process that is gone is dropped: `ended` tells. */
  send(message: ToGeneration): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  kill(cause: GenerationError): void {
    this.#cause ??= cause;
    this.#child.kill('SIGKILL');
  }

  async stop(graceMs: number): Promise<void> {
    this.#cause ??= new GenerationStoppedError();
    this.send({ type: 'stop' });
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(deadline);
  }

  /** 'close' comes after the last byte of stderr; a process that could not be started only has an 'error'. */
  #untilGone(): Promise<GenerationError> {
    return new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve(this.#cause ?? new GenerationDiedError({ code, signal, stderr: this.#stderr })));
      this.#child.once('error', (error) =>
        resolve(this.#cause ?? new GenerationDiedError({ code: null, signal: null, stderr: error.message })),
      );
    });
  }
}

import { fork, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { refused, type Refused } from '../domain/packaging.ts';
import type { ModelTrial, TrialRequest, Tried, Verified, VerifyRequest } from '../ports.ts';
import { causeOf, type TrialAnswer, type TrialQuestion } from './trial-protocol.ts';

export interface TrialLimits {
  readonly timeMs: number;
  readonly memoryBytes: number;
}
/** What one try of a model that nobody trusts yet may take; more is refused, not waited for. */
export const TRIAL_LIMITS: TrialLimits = { timeMs: 120_000, memoryBytes: 2 * 1024 ** 3 };
/** How often the child's memory is looked at. */
const MEMORY_POLL_MS = 100;
const STDERR_TAIL_CHARACTERS = 1000;
const PAGE_BYTES = 4096;
const FROM_SOURCES = import.meta.url.endsWith('.ts');
const CHILD = fileURLToPath(new URL(FROM_SOURCES ? './trial-main.ts' : './trial-main.js', import.meta.url));

/** Each question gets a process of its own: what a model does to the runtime's memory ends with it. */
export class ChildModelTrial implements ModelTrial {
  readonly #limits: TrialLimits;

  constructor(limits: TrialLimits = TRIAL_LIMITS) {
    this.#limits = limits;
  }

  async make({ signal, ...question }: TrialRequest): Promise<Tried | Refused> {
    return (await this.#ask({ kind: 'make', ...question }, signal)) as Tried | Refused;
  }

  async verify({ signal, ...question }: VerifyRequest): Promise<Verified | Refused> {
    return (await this.#ask({ kind: 'verify', ...question }, signal)) as Verified | Refused;
  }

  async #ask(question: TrialQuestion, signal: AbortSignal): Promise<Tried | Verified | Refused> {
    signal.throwIfAborted();
    const child = startChild();
    const watch = new ChildWatch(child, this.#limits);
    const abort = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', abort, { once: true });
    try {
      const answer = await watch.answerTo(question);
      signal.throwIfAborted();
      return answer;
    } finally {
      signal.removeEventListener('abort', abort);
      watch.stop();
      child.kill('SIGKILL');
    }
  }
}

/** Nothing of this process's environment is the model's business. */
function startChild(): ChildProcess {
  return fork(CHILD, [], {
    execArgv: FROM_SOURCES ? ['--conditions=@edgeloop/source', '--disable-warning=ExperimentalWarning'] : [],
    env: { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'] },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
}

/** Waits for the answer, the end of the child, or a limit. */
class ChildWatch {
  readonly #child: ChildProcess;
  readonly #limits: TrialLimits;
  #timer: NodeJS.Timeout | undefined;
  #memory: NodeJS.Timeout | undefined;
  #stderr = '';

  constructor(child: ChildProcess, limits: TrialLimits) {
    this.#child = child;
    this.#limits = limits;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr = (this.#stderr + text).slice(-STDERR_TAIL_CHARACTERS)));
  }

  async answerTo(question: TrialQuestion): Promise<Tried | Verified | Refused> {
    return await new Promise((resolve, reject) => {
      this.#child.once('message', (answer: TrialAnswer) => resolve(judge(answer)));
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => resolve(this.#crashed(code, signal)));
      this.#child.send(question, (cause) => cause && this.#child.kill('SIGKILL'));
      this.#timer = setTimeout(() => resolve(this.#tooSlow()), this.#limits.timeMs);
      this.#memory = setInterval(() => {
        void residentBytes(this.#child.pid).then((bytes) => {
          if (bytes > this.#limits.memoryBytes) resolve(this.#tooMuchMemory(bytes));
        });
      }, MEMORY_POLL_MS);
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#memory);
  }

  #crashed(code: number | null, signal: string | null): Refused {
    const tail = this.#stderr.trim() === '' ? '' : `: ${this.#stderr.trim()}`;
    return refused('crashed', `the process that tried the model ended by ${signal ?? `exit ${code}`}${tail}`);
  }

  #tooSlow(): Refused {
    return refused('too-slow', `the model was not loaded and run within ${this.#limits.timeMs} ms: export a smaller one`);
  }

  #tooMuchMemory(bytes: number): Refused {
    return refused(
      'too-much-memory',
      `the model took ${bytes} bytes of memory, at most ${this.#limits.memoryBytes} are allowed: export a smaller one`,
    );
  }
}

function judge(answer: TrialAnswer): Tried | Verified | Refused {
  return answer.kind === 'failed' ? refused(causeOf(answer.error), answer.message) : answer;
}

/** 0 where the system does not say: then the limit of time alone holds. */
async function residentBytes(pid: number | undefined): Promise<number> {
  try {
    return Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

import { Worker } from 'node:worker_threads';
import type { CandidateQuestion, DetectResult, PictureBand } from '@edgeloop/vision';
import type { ThreadAnswer, ThreadQuestion } from './inference-thread.ts';
import type { Failure, InferenceSetup } from './protocol.ts';
import { moduleBeside } from './source-modules.ts';

/** What a call to the model thread ends with when it does not succeed. */
export class ModelThreadError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'ModelThreadError';
    this.failure = failure;
  }
}

interface Waiting {
  readonly memory: SharedArrayBuffer;
  resolve(result: DetectResult): void;
  reject(error: Error): void;
}

/** The model in its own thread, seen from the thread that decodes pictures. */
export class ModelThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #free: SharedArrayBuffer[] = [];
  #nextId = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (answer: ThreadAnswer) => this.#take(answer));
  }

  /** @throws ModelThreadError when the model does not load. A thread that crashes takes its process with it, then or later. */
  static async start(setup: InferenceSetup): Promise<{ thread: ModelThread; digest: string }> {
    const worker = new Worker(moduleBeside('inference-thread'), { workerData: setup });
    worker.once('error', endProcess);
    const first = await new Promise<ThreadAnswer>((resolve) => worker.once('message', resolve));
    if (first.type === 'ready') return { thread: new ModelThread(worker), digest: first.digest };
    throw new ModelThreadError(
      first.type === 'load-failed' ? first.failure : { name: 'ProtocolError', message: `unexpected ${first.type}` },
    );
  }

  /** The band is copied before this returns. @throws ModelThreadError */
  infer({ rgb, geometry }: PictureBand, question: CandidateQuestion): Promise<DetectResult> {
    const id = this.#nextId++;
    const memory = this.#freeMemory(rgb.byteLength);
    const shared = new Uint8Array(memory, 0, rgb.byteLength);
    shared.set(rgb);
    return new Promise<DetectResult>((resolve, reject) => {
      this.#waiting.set(id, { memory, resolve, reject });
      this.#worker.postMessage({ id, band: { rgb: shared, geometry }, question } satisfies ThreadQuestion);
    });
  }

  /**
   * Memory that both threads see, one piece per frame under way, used again and again: the decoder's own buffers cannot be moved
   * to another thread, and a fresh megabyte per frame would keep the garbage collector busy.
   */
  #freeMemory(bytes: number): SharedArrayBuffer {
    const free = this.#free.pop();
    return free !== undefined && free.byteLength >= bytes ? free : new SharedArrayBuffer(bytes);
  }

  #take(answer: ThreadAnswer): void {
    if (answer.type !== 'result' && answer.type !== 'failed') return;
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    this.#free.push(waiting.memory);
    if (answer.type === 'result') waiting.resolve(answer.result);
    else waiting.reject(new ModelThreadError(answer.failure));
  }
}

/** Half a process is none: the agent sees the end, with this text, and starts another. */
function endProcess(error: unknown): never {
  process.stderr.write(`model thread: ${String((error as { message?: unknown }).message ?? error)}\n`);
  process.exit(1);
}

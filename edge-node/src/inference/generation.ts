import { performance } from 'node:perf_hooks';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkGoldens } from '@edgeloop/model-package/reader';
import type { GoldenVerdict } from '@edgeloop/model-package/reader';
import { toCorners } from '@edgeloop/vision';
import type { ScoreBand } from '@edgeloop/vision';
import { FrameFailedError, GenerationBusyError, GenerationHungError, GenerationLoadError, GenerationStoppedError } from './errors.ts';
import type { GenerationError } from './errors.ts';
import { BOX_SCORE_FLOOR } from './frame-server.ts';
import { GenerationProcess } from './generation-process.ts';
import { FRAME_DEADLINE_MS, FRAMES_IN_FLIGHT_MAX, LOAD_DEADLINE_MS, STOP_GRACE_MS } from './limits.ts';
import { openModelFolder } from './model-folder.ts';
import type { FrameAnswer, FromGeneration, LoadedModel } from './protocol.ts';

export interface GenerationOptions {
  /** An extracted package: `manifest.json`, `model.onnx`, golden pictures. */
  readonly modelDir: string;
  /** Threads of the model runtime. Default 1: pictures and the bus keep a core. */
  readonly threads?: number;
  /** Resident bytes of the process before it ends itself. Default: no limit. */
  readonly memoryBytesMax?: number;
  readonly loadDeadlineMs?: number;
  readonly frameDeadlineMs?: number;
  readonly stopGraceMs?: number;
}

export interface Inference extends FrameAnswer {
  /** From handing the frame over to its answer. */
  readonly latencyMs: number;
}

/** What a frame pipeline needs of a loaded model. */
export interface ServingModel {
  readonly loaded: LoadedModel;
  /** @throws FrameFailedError: this frame alone; any other GenerationError: the process is of no more use. */
  infer(picture: Uint8Array, bands?: readonly ScoreBand[]): Promise<Inference>;
}

interface PendingFrame {
  readonly sentAt: number;
  readonly deadline: NodeJS.Timeout;
  resolve(inference: Inference): void;
  reject(error: GenerationError): void;
}

/** One loaded model in a process of its own, seen from the agent. */
export class Generation implements ServingModel {
  readonly loaded: LoadedModel;
  readonly modelDir: string;
  readonly #process: GenerationProcess;
  readonly #options: GenerationOptions;
  readonly #pending = new Map<number, PendingFrame>();
  #nextId = 0;
  #ended: GenerationError | undefined;

  private constructor(process: GenerationProcess, options: GenerationOptions, loaded: LoadedModel) {
    this.#process = process;
    this.#options = options;
    this.modelDir = options.modelDir;
    this.loaded = loaded;
    process.onMessage((message) => this.#take(message));
    void process.ended.then((error) => this.#end(error));
  }

  /** Forks the process and loads the model. @throws GenerationLoadError, GenerationHungError, GenerationDiedError, GenerationMemoryError, and the signal's reason */
  static async start(options: GenerationOptions, signal?: AbortSignal): Promise<Generation> {
    const { modelDir, threads = 1, memoryBytesMax, loadDeadlineMs = LOAD_DEADLINE_MS } = options;
    const { manifest, modelPath } = await openModelFolder(modelDir);
    signal?.throwIfAborted();
    const process = new GenerationProcess(memoryBytesMax);
    const abort = (): void => process.kill(new GenerationStoppedError());
    signal?.addEventListener('abort', abort, { once: true });
    const deadline = setTimeout(() => process.kill(new GenerationHungError('load', loadDeadlineMs)), loadDeadlineMs);
    try {
      const answered = process.firstMessage();
      process.send({ type: 'load', modelPath, digest: manifest.model.digest, card: manifest.model, threads, memoryBytesMax });
      return new Generation(process, options, loadedOf(await answered));
    } catch (error) {
      process.kill(new GenerationStoppedError());
      await process.ended;
      signal?.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', abort);
    }
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Resolves with the cause when the process is gone: `GenerationStoppedError` after `stop`. */
  get ended(): Promise<GenerationError> {
    return this.#process.ended;
  }

  infer(picture: Uint8Array, bands: readonly ScoreBand[] = []): Promise<Inference> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#pending.size >= FRAMES_IN_FLIGHT_MAX) return Promise.reject(new GenerationBusyError(FRAMES_IN_FLIGHT_MAX));
    const { frameDeadlineMs = FRAME_DEADLINE_MS } = this.#options;
    const id = this.#nextId++;
    return new Promise<Inference>((resolve, reject) => {
      const deadline = setTimeout(() => this.#process.kill(new GenerationHungError('frame', frameDeadlineMs)), frameDeadlineMs);
      this.#pending.set(id, { sentAt: performance.now(), deadline, resolve, reject });
      this.#process.send({ type: 'frame', id, picture, bands });
    });
  }

  /** Runs the package's golden vectors through the very path that frames take. @throws as `infer`, GenerationLoadError */
  async selfTest(signal?: AbortSignal): Promise<GoldenVerdict> {
    const { manifest, path } = await openModelFolder(this.modelDir);
    const detector = {
      thresholds: { score: BOX_SCORE_FLOOR, iou: manifest.model.nmsIou },
      detect: async (bytes: Uint8Array) => {
        signal?.throwIfAborted();
        const { boxes, picture } = await this.infer(bytes);
        return { picture, detections: boxes.map((box) => ({ classId: box.classId, score: box.score, ...toCorners(box, picture) })) };
      },
    };
    return checkGoldens(detector, manifest.goldens, (name) => readFile(join(path, name)));
  }

  /** Ends the process: at once when no frame is under way, else frames under way fail. Safe to call twice. */
  async stop(): Promise<void> {
    this.#end(new GenerationStoppedError());
    await this.#process.stop(this.#options.stopGraceMs ?? STOP_GRACE_MS);
  }

  #take(message: FromGeneration): void {
    if (message.type !== 'answer' && message.type !== 'frame-failed') return;
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    this.#pending.delete(message.id);
    clearTimeout(pending.deadline);
    if (message.type === 'answer') pending.resolve({ ...message.answer, latencyMs: performance.now() - pending.sentAt });
    else pending.reject(new FrameFailedError(message.failure.name, message.failure.message));
  }

  #end(error: GenerationError): void {
    this.#ended ??= error;
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.deadline);
      pending.reject(this.#ended);
    }
    this.#pending.clear();
  }
}

function loadedOf(message: FromGeneration): LoadedModel {
  if (message.type === 'loaded') return message.loaded;
  if (message.type === 'load-failed') throw new GenerationLoadError(message.failure.name, message.failure.message);
  throw new GenerationLoadError('ProtocolError', `unexpected ${message.type}`);
}

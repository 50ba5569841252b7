import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelRunError, ModelShapeError } from './errors.ts';
import type { ModelPlan } from './model-plan.ts';

export interface ModelOutput {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

export interface SessionOptions {
  /** Threads of the runtime. */
  readonly threads: number;
  /** `[3,height,width]`; read anew at each run. */
  readonly input: Float32Array;
}

/** One model in the runtime. The runtime is loaded with the first model: a process without one does not pay for it. */
export class ModelSession {
  readonly #session: InferenceSession;
  readonly #feeds: Readonly<Record<string, Tensor>>;
  readonly #outputName: string;

  private constructor(session: InferenceSession, feeds: Readonly<Record<string, Tensor>>, outputName: string) {
    this.#session = session;
    this.#feeds = feeds;
    this.#outputName = outputName;
  }

  /** @throws ModelRunError */
  static async create(model: Uint8Array, plan: ModelPlan, options: SessionOptions): Promise<ModelSession> {
    const runtime = await import('onnxruntime-node');
    const { width, height } = plan.input;
    const input = new runtime.Tensor('float32', options.input, [1, 3, height, width]);
    const session = await runtime.InferenceSession.create(model, {
      executionProviders: ['cpu'],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
    }).catch((cause: unknown) => {
      throw new ModelRunError(`cannot load: ${messageOf(cause)}`, { cause });
    });
    return new ModelSession(session, { [plan.inputName]: input }, plan.outputName);
  }

  /** One inference on what the input holds now. Blocks the thread while the model runs. @throws ModelRunError, ModelShapeError */
  async run(): Promise<ModelOutput> {
    const results = await this.#session.run(this.#feeds, [this.#outputName]).catch((cause: unknown) => {
      throw new ModelRunError(messageOf(cause), { cause });
    });
    const output = results[this.#outputName];
    if (output?.type !== 'float32') {
      throw new ModelShapeError(`output '${this.#outputName}' is ${output?.type ?? 'missing'}, expected float32`);
    }
    return { data: output.data as Float32Array, dims: output.dims };
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

function messageOf(cause: unknown): string {
  return String((cause as { message?: unknown } | null)?.message ?? cause).slice(0, 300);
}

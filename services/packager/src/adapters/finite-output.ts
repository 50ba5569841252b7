import { TensorWriter, decodeBand, type ModelPlan } from '@edgeloop/vision';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Weights of a training that diverged load well, answer fast, and see nothing: their numbers are none. */
export class NotFiniteError extends Error {
  override readonly name = 'NotFiniteError';
  readonly retryable = false;
  readonly values: number;
  constructor(values: number) {
    super(`${values} of the numbers that the model answers with are NaN or infinite: the training diverged, or the file is damaged`);
    this.values = values;
  }
}

/** Runs the model on one picture and looks at the raw numbers. Throws `NotFiniteError`. */
export async function assertFiniteOutput(modelPath: string, plan: ModelPlan, picture: Uint8Array): Promise<void> {
  const writer = new TensorWriter(plan.input);
  writer.write(await decodeBand(picture, plan.input));
  const session = await InferenceSession.create(modelPath, { executionProviders: ['cpu'], intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const input = new Tensor('float32', writer.tensor, [1, 3, plan.input.height, plan.input.width]);
    const output = (await session.run({ [plan.inputName]: input }, [plan.outputName]))[plan.outputName];
    const values = (output?.data ?? []) as Float32Array;
    let broken = 0;
    for (const value of values) if (!Number.isFinite(value)) broken += 1;
    if (broken > 0) throw new NotFiniteError(broken);
  } finally {
    await session.release();
  }
}

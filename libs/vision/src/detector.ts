import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Decoder } from './decode/decoder.ts';
import type { CandidateQuestion, CandidateSummary, Thresholds } from './decode/decoder.ts';
import { detectLayout } from './decode/detect-layout.ts';
import type { OutputLayout, OutputShape } from './decode/layout.ts';
import { ModelRunError, ModelShapeError } from './errors.ts';
import { planModel } from './model-plan.ts';
import type { ModelPlan } from './model-plan.ts';
import { inspectOnnx } from './onnx/inspect-onnx.ts';
import { toPicture } from './picture/geometry.ts';
import type { LetterboxGeometry, Size } from './picture/geometry.ts';
import { decodeBand, TensorWriter } from './picture/letterbox.ts';
import type { InputFormat, PictureBand } from './picture/letterbox.ts';
import type { PictureInput } from './picture/read-picture.ts';

/** A box in pixels of the original picture. */
export interface Detection {
  readonly classId: number;
  readonly score: number;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** Milliseconds of each step of one frame. */
export interface StepTimings {
  /** JPEG to scaled RGB; runs beside the model of another frame. */
  readonly pictureMs: number;
  readonly tensorMs: number;
  readonly modelMs: number;
  readonly boxesMs: number;
}

export interface DetectResult {
  readonly detections: readonly Detection[];
  readonly picture: Size;
  readonly candidates: CandidateSummary;
  readonly timings: StepTimings;
}

/** What is not given here is read from the model itself. */
export interface DetectorOptions {
  readonly modelPath: string;
  /** Default: the metadata property `names`. */
  readonly classes?: readonly string[];
  /** Default: size of the graph's input, RGB, 0..1. */
  readonly input?: Partial<InputFormat>;
  readonly layout?: OutputLayout;
  /** Default: score 0.25, IoU 0.45. */
  readonly thresholds?: Thresholds;
  /** Threads of the model runtime. Default 1: one core stays free for pictures and the bus. */
  readonly threads?: number;
}

export const DEFAULT_THRESHOLDS: Thresholds = { score: 0.25, iou: 0.45 };

/**
 * One loaded detector. Calls may overlap; the model runs them one after the other.
 * A process that loads many models one after the other grows: give each generation of a long-lived program its own process.
 */
export class Detector {
  readonly plan: ModelPlan;
  readonly shape: OutputShape;
  readonly thresholds: Thresholds;
  readonly #session: InferenceSession;
  readonly #writer: TensorWriter;
  readonly #input: Tensor;
  readonly #decoder = new Decoder();
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(session: InferenceSession, plan: ModelPlan, shape: OutputShape, thresholds: Thresholds) {
    this.plan = plan;
    this.shape = shape;
    this.thresholds = thresholds;
    this.#session = session;
    this.#writer = new TensorWriter(plan.input);
    this.#input = inputTensor(this.#writer.tensor, plan);
  }

  /**
   * Loads, checks and warms up.
   * @throws OnnxUnreadableError, OnnxExternalDataError, ModelShapeError, LayoutMismatchError, ModelRunError
   */
  static async load(options: DetectorOptions): Promise<Detector> {
    const plan = planModel(inspectOnnx(await readFile(options.modelPath)), options);
    const session = await createSession(options.modelPath, options.threads ?? 1);
    try {
      const warm = await runSession(session, plan, inputTensor(new TensorWriter(plan.input).tensor, plan));
      const shape = detectLayout({
        outputDims: warm.dims,
        inputDims: [1, 3, plan.input.height, plan.input.width],
        classCount: plan.classes.length,
        metadata: plan.metadata,
        declared: options.layout,
      });
      return new Detector(session, plan, shape, options.thresholds ?? DEFAULT_THRESHOLDS);
    } catch (cause) {
      await session.release();
      throw cause;
    }
  }

  get classes(): readonly string[] {
    return this.plan.classes;
  }

  /** @throws UnreadablePictureError, PictureTooLargeError, ModelRunError */
  async detect(picture: PictureInput, question?: CandidateQuestion): Promise<DetectResult> {
    const start = performance.now();
    const band = await decodeBand(picture, this.plan.input);
    return this.infer(band, { question, pictureMs: performance.now() - start });
  }

  /** The part after the picture is decoded and scaled, for callers that overlap the two. */
  infer(band: PictureBand, options: { question?: CandidateQuestion; pictureMs?: number } = {}): Promise<DetectResult> {
    const result = this.#turn.then(() => this.#infer(band, options));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Frees the session after the calls under way. */
  async close(): Promise<void> {
    await this.#turn;
    await this.#session.release();
  }

  async #infer(
    band: PictureBand,
    { question, pictureMs = 0 }: { question?: CandidateQuestion; pictureMs?: number },
  ): Promise<DetectResult> {
    const start = performance.now();
    this.#writer.write(band);
    const ready = performance.now();
    const output = await runSession(this.#session, this.plan, this.#input);
    const ran = performance.now();
    const decoded = this.#decoder.decode(output.data, this.shape, this.thresholds, question);
    const detections = inPicture(decoded.detections, band.geometry);
    const timings = { pictureMs, tensorMs: ready - start, modelMs: ran - ready, boxesMs: performance.now() - ran };
    return { detections, picture: band.geometry.source, candidates: decoded.candidates, timings };
  }
}

/** Boxes that lie in the padding alone have no area in the picture and are left out. */
function inPicture(detections: readonly Detection[], geometry: LetterboxGeometry): Detection[] {
  const boxes = detections.map((detection) => ({ classId: detection.classId, score: detection.score, ...toPicture(detection, geometry) }));
  return boxes.filter(({ x1, y1, x2, y2 }) => x2 > x1 && y2 > y1);
}

async function createSession(modelPath: string, threads: number): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(modelPath, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
    });
  } catch (cause) {
    throw new ModelRunError(`cannot load: ${messageOf(cause)}`, { cause });
  }
}

interface ModelOutput {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

async function runSession(session: InferenceSession, plan: ModelPlan, input: Tensor): Promise<ModelOutput> {
  const results = await session.run({ [plan.inputName]: input }, [plan.outputName]).catch((cause: unknown) => {
    throw new ModelRunError(messageOf(cause), { cause });
  });
  const output = results[plan.outputName];
  if (output?.type !== 'float32')
    throw new ModelShapeError(`output '${plan.outputName}' is ${output?.type ?? 'missing'}, expected float32`);
  return { data: output.data as Float32Array, dims: output.dims };
}

function inputTensor(values: Float32Array, { input }: ModelPlan): Tensor {
  return new Tensor('float32', values, [1, 3, input.height, input.width]);
}

function messageOf(cause: unknown): string {
  return String((cause as { message?: unknown } | null)?.message ?? cause).slice(0, 300);
}

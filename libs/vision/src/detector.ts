import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { Decoder } from './decode/decoder.ts';
import type { CandidateQuestion, CandidateSummary, Thresholds } from './decode/decoder.ts';
import { detectLayout } from './decode/detect-layout.ts';
import type { OutputLayout, OutputShape } from './decode/layout.ts';
import { planModel } from './model-plan.ts';
import type { ModelPlan } from './model-plan.ts';
import { ModelSession } from './model-session.ts';
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
  /** `sha256:<hex>` of the very bytes that were loaded. */
  readonly digest: string;
  readonly #session: ModelSession;
  readonly #writer: TensorWriter;
  readonly #decoder = new Decoder();
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    loaded: { session: ModelSession; plan: ModelPlan; shape: OutputShape; digest: string; writer: TensorWriter },
    thresholds: Thresholds,
  ) {
    this.plan = loaded.plan;
    this.shape = loaded.shape;
    this.digest = loaded.digest;
    this.thresholds = thresholds;
    this.#session = loaded.session;
    this.#writer = loaded.writer;
  }

  /**
   * Loads, checks and warms up.
   * @throws OnnxUnreadableError, OnnxExternalDataError, ModelShapeError, LayoutMismatchError, ModelRunError
   */
  static async load(options: DetectorOptions): Promise<Detector> {
    // Read once: what is inspected, digested and run are the same bytes, whatever happens to the file.
    const model = await readFile(options.modelPath);
    const plan = planModel(inspectOnnx(model), options);
    const writer = new TensorWriter(plan.input);
    const session = await ModelSession.create(model, plan, { threads: options.threads ?? 1, input: writer.tensor });
    try {
      const shape = detectLayout({
        outputDims: (await session.run()).dims,
        inputDims: [1, 3, plan.input.height, plan.input.width],
        classCount: plan.classes.length,
        metadata: plan.metadata,
        declared: options.layout,
      });
      const digest = `sha256:${createHash('sha256').update(model).digest('hex')}`;
      return new Detector({ session, plan, shape, digest, writer }, options.thresholds ?? DEFAULT_THRESHOLDS);
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
    const output = await this.#session.run();
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

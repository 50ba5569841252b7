import type { Thresholds } from '../decode/decoder.ts';
import { Detector } from '../detector.ts';
import type { DetectResult, DetectorOptions } from '../detector.ts';
import { ClassMismatchError, DatasetFolderError, PictureTooLargeError, UnreadablePictureError } from '../errors.ts';
import { namesItsClasses } from '../onnx/model-file.ts';
import { toCorners } from '../labels/yolo-labels.ts';
import type { LabelledBox } from '../labels/yolo-labels.ts';
import type { PictureInput } from '../picture/read-picture.ts';
import { AveragePrecisionMeter } from './average-precision.ts';
import type { MapScore } from './average-precision.ts';

/** Every box counts that a model is at all sure of; the average precision weighs them by rank. */
export const JUDGE_THRESHOLDS: Thresholds = { score: 0.01, iou: 0.5 };

/** One picture with its truth, in the classes of the dataset. */
export interface LabelledFrame {
  /** Named in errors, for example the file. */
  readonly name: string;
  readonly picture: PictureInput;
  readonly truth: readonly LabelledBox[];
  /** Condition the picture was taken in: `day`, `night`. */
  readonly slice: string;
}

export interface Evaluation {
  readonly slices: Readonly<Record<string, MapScore>>;
  readonly overall: MapScore;
  /** Truths of classes that the model does not know: no part of any score. */
  readonly ignoredBoxes: number;
}

export interface EvaluationRequest {
  readonly modelPath: string;
  readonly frames: AsyncIterable<LabelledFrame>;
  /** Names behind the class numbers of the truth. Matched with the model's by name. */
  readonly classes: readonly string[];
  readonly detector?: Omit<DetectorOptions, 'modelPath' | 'thresholds'>;
}

/**
 * Scores one model with the pre- and post-processing of the node.
 * @throws ClassMismatchError, DatasetFolderError (an unusable picture), and what `Detector.load` and `detect` throw
 */
export async function evaluateModel({ modelPath, frames, classes, detector: options }: EvaluationRequest): Promise<Evaluation> {
  const detector = await loadJudged(modelPath, classes, options);
  try {
    const judge = new Judge(detector.classes, classes);
    for await (const frame of frames) {
      const { detections, picture } = await detected(detector, frame);
      judge.add(frame.slice, {
        detections,
        truth: frame.truth.map((box) => ({ classId: box.classId, ...toCorners(box, picture) })),
      });
    }
    return judge.evaluation();
  } finally {
    await detector.close();
  }
}

/** A model without names of its own is taken to know the dataset's classes, in that order. */
async function loadJudged(modelPath: string, classes: readonly string[], options: EvaluationRequest['detector']): Promise<Detector> {
  const load = (names: readonly string[] | undefined) =>
    Detector.load({ ...options, modelPath, classes: names, thresholds: JUDGE_THRESHOLDS });
  if (options?.classes !== undefined) return load(options.classes);
  return (await namesItsClasses(modelPath)) ? load(undefined) : load(classes);
}

async function detected(detector: Detector, { name, picture }: LabelledFrame): Promise<DetectResult> {
  return detector.detect(picture).catch((cause: unknown) => {
    const unusable = cause instanceof UnreadablePictureError || cause instanceof PictureTooLargeError;
    throw unusable ? new DatasetFolderError(name, cause.message, { cause }) : cause;
  });
}

/** Truth and detections by the model's class numbers, gathered per slice and over all. */
class Judge {
  readonly #modelClasses: readonly string[];
  /** Model's number per dataset's number; -1 where the model does not know the class. */
  readonly #toModel: readonly number[];
  readonly #slices = new Map<string, AveragePrecisionMeter>();
  readonly #overall: AveragePrecisionMeter;
  #ignoredBoxes = 0;

  constructor(modelClasses: readonly string[], datasetClasses: readonly string[]) {
    this.#modelClasses = modelClasses;
    this.#toModel = datasetClasses.map((name) => modelClasses.indexOf(name));
    if (this.#toModel.every((classId) => classId < 0)) throw new ClassMismatchError(modelClasses, datasetClasses);
    this.#overall = new AveragePrecisionMeter(modelClasses);
  }

  add(slice: string, frame: Parameters<AveragePrecisionMeter['add']>[0]): void {
    const truth = frame.truth.map((box) => ({ ...box, classId: this.#toModel[box.classId] ?? -1 })).filter(({ classId }) => classId >= 0);
    this.#ignoredBoxes += frame.truth.length - truth.length;
    const known = { detections: frame.detections, truth };
    this.#overall.add(known);
    this.#meterOf(slice).add(known);
  }

  evaluation(): Evaluation {
    const slices = [...this.#slices].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, meter]) => [name, meter.score()] as const);
    return { slices: Object.fromEntries(slices), overall: this.#overall.score(), ignoredBoxes: this.#ignoredBoxes };
  }

  #meterOf(slice: string): AveragePrecisionMeter {
    const known = this.#slices.get(slice);
    if (known !== undefined) return known;
    const made = new AveragePrecisionMeter(this.#modelClasses);
    this.#slices.set(slice, made);
    return made;
  }
}

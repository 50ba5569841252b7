import { performance } from 'node:perf_hooks';
import { bandStats, decodeBand, toFractions } from '@edgeloop/vision';
import type { Detection, PictureBand, PictureStats, ScoreBand, Size, Thresholds } from '@edgeloop/vision';
import { CANDIDATE_FLOOR, FRAME_BYTES_MAX } from './limits.ts';
import type { ModelThread } from './model-thread.ts';
import type { FrameAnswer, InferredBox } from './protocol.ts';

/** Score from which a box is told, alarm or not: golden answers are compared from here on. */
export const BOX_SCORE_FLOOR = 0.25;

/** Alarm threshold per class, in class order. */
export type AlarmThresholds = readonly number[];

/** Thresholds of the detector: alarms below the usual floor are kept too. */
export function detectorThresholds(alarms: AlarmThresholds, iou: number): Thresholds {
  return { score: alarms.map((alarm) => Math.min(alarm, BOX_SCORE_FLOOR)), iou };
}

/**
 * Answers frames in the order they came, and decodes the next picture while the model works on the one before.
 */
export class FrameServer {
  readonly #thread: ModelThread;
  readonly #target: Size;
  readonly #alarms: AlarmThresholds;
  #before: Promise<unknown> = Promise.resolve();

  constructor(thread: ModelThread, target: Size, alarms: AlarmThresholds) {
    this.#thread = thread;
    this.#target = target;
    this.#alarms = alarms;
  }

  /** @throws UnreadablePictureError, PictureTooLargeError, RangeError, ModelThreadError */
  async answer(picture: Uint8Array, bands: readonly ScoreBand[]): Promise<FrameAnswer> {
    const decoded = this.#decode(picture);
    const before = this.#before;
    const submitted = this.#afterBefore(before, decoded);
    this.#before = submitted.catch(() => undefined);
    const { band, stats, pictureMs } = await submitted;
    const { detections, picture: size, candidates, timings } = await this.#thread.infer(band, { bands, candidateFloor: CANDIDATE_FLOOR });
    return { picture: size, boxes: this.#boxes(detections, size), candidates, stats, timings: { ...timings, pictureMs } };
  }

  async #afterBefore<T>(before: Promise<unknown>, decoded: Promise<T>): Promise<T> {
    const [, result] = await Promise.all([before, decoded]);
    return result;
  }

  async #decode(picture: Uint8Array): Promise<{ band: PictureBand; stats: PictureStats; pictureMs: number }> {
    if (picture.byteLength > FRAME_BYTES_MAX) throw new RangeError(`frame of ${picture.byteLength} bytes, at most ${FRAME_BYTES_MAX}`);
    const start = performance.now();
    const band = await decodeBand(picture, this.#target);
    const pictureMs = performance.now() - start;
    return { band, stats: bandStats(band), pictureMs };
  }

  #boxes(detections: readonly Detection[], size: Size): InferredBox[] {
    return detections.map((detection) => ({
      classId: detection.classId,
      ...toFractions(detection, size),
      score: Math.min(1, detection.score),
      alarm: detection.score >= Math.fround(this.#alarms[detection.classId] ?? 1),
    }));
  }
}

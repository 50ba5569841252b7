import { TensorSizeError, TooManyRowsError } from '../errors.ts';
import { columnsOf } from './layout.ts';
import type { OutputShape } from './layout.ts';

/** Rows of one output: a 1280 x 1280 YOLOv5 has 102 000. Row numbers take 17 bits of a sort key. */
export const OUTPUT_ROWS_MAX = 131_072;

/**
 * The rows of one output that score at or above a floor, in typed arrays that are reused from frame to frame: no object
 * is made per candidate, and candidates stay in row order. Rows that hold NaN or infinity, or a box without area, are dropped and counted.
 */
export class Candidates {
  count = 0;
  malformed = 0;
  /** x1, y1, x2, y2 per candidate, input pixels. */
  corners = new Float32Array(0);
  score = new Float32Array(0);
  classId = new Uint16Array(0);
  #bestScore = new Float32Array(0);
  #bestClass = new Uint16Array(0);

  /** @throws TensorSizeError, TooManyRowsError */
  collect(output: Float32Array, shape: OutputShape, floor: number): void {
    if (shape.rows > OUTPUT_ROWS_MAX) throw new TooManyRowsError(shape.rows, OUTPUT_ROWS_MAX);
    const expected = shape.rows * columnsOf(shape);
    if (output.length !== expected) throw new TensorSizeError(expected, output.length);
    this.#reserve(shape.rows);
    this.count = 0;
    this.malformed = 0;
    // Scores are float32: a floor of 0.7 must admit the float32 nearest to 0.7, which is smaller.
    const least = Math.fround(floor);
    if (shape.layout === 'yolov5') this.#collectYolov5(output, shape, least);
    else if (shape.layout === 'yolov8') this.#collectYolov8(output, shape, least);
    else this.#collectEndToEnd(output, shape, least);
  }

  #collectYolov5(output: Float32Array, { rows, classCount }: OutputShape, floor: number): void {
    const columns = 5 + classCount;
    for (let row = 0, at = 0; row < rows; row++, at += columns) {
      // A class score is at most 1, so a row whose objectness is under the floor needs no look at its classes.
      const objectness = output[at + 4]!;
      if (!(objectness >= floor)) {
        if (objectness !== objectness) this.malformed++;
        continue;
      }
      let best = -1;
      let bestScore = -1;
      for (let k = at + 5, classId = 0; classId < classCount; k++, classId++) {
        const value = output[k]!;
        if (value > bestScore) {
          bestScore = value;
          best = classId;
        }
      }
      const score = Math.fround(bestScore * objectness);
      if (score < floor && best >= 0) continue;
      this.#addCentred(best, score, output[at]!, output[at + 1]!, output[at + 2]!, output[at + 3]!);
    }
  }

  #collectYolov8(output: Float32Array, { rows, classCount }: OutputShape, floor: number): void {
    const bestScore = this.#bestScore;
    const bestClass = this.#bestClass;
    bestScore.fill(-1, 0, rows);
    for (let classId = 0, line = 4 * rows; classId < classCount; classId++, line += rows) {
      for (let row = 0; row < rows; row++) {
        const value = output[line + row]!;
        if (value > bestScore[row]!) {
          bestScore[row] = value;
          bestClass[row] = classId;
        }
      }
    }
    for (let row = 0; row < rows; row++) {
      const score = bestScore[row]!;
      if (score === -1) this.malformed++;
      else if (score >= floor) {
        this.#addCentred(bestClass[row]!, score, output[row]!, output[rows + row]!, output[2 * rows + row]!, output[3 * rows + row]!);
      }
    }
  }

  #collectEndToEnd(output: Float32Array, { rows, classCount }: OutputShape, floor: number): void {
    for (let row = 0, at = 0; row < rows; row++, at += 6) {
      const score = output[at + 4]!;
      if (score < floor) continue;
      const classId = output[at + 5]!;
      const known = Number.isInteger(classId) && classId >= 0 && classId < classCount;
      this.#add(known ? classId : -1, score, output[at]!, output[at + 1]!, output[at + 2]!, output[at + 3]!);
    }
  }

  #addCentred(classId: number, score: number, cx: number, cy: number, w: number, h: number): void {
    this.#add(classId, score, cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2);
  }

  #add(classId: number, score: number, x1: number, y1: number, x2: number, y2: number): void {
    const { corners, count } = this;
    const at = count * 4;
    corners[at] = x1;
    corners[at + 1] = y1;
    corners[at + 2] = x2;
    corners[at + 3] = y2;
    // Judged after rounding to float32, in which the overlap is computed. An infinite box has an infinite or NaN area.
    const area = (corners[at + 2]! - corners[at]!) * (corners[at + 3]! - corners[at + 1]!);
    const sound =
      classId >= 0 && score < Infinity && corners[at + 2]! > corners[at]! && corners[at + 3]! > corners[at + 1]! && area < Infinity;
    if (!sound) {
      this.malformed++;
      return;
    }
    this.score[count] = score;
    this.classId[count] = classId;
    this.count = count + 1;
  }

  #reserve(rows: number): void {
    if (this.score.length >= rows) return;
    this.corners = new Float32Array(rows * 4);
    this.score = new Float32Array(rows);
    this.classId = new Uint16Array(rows);
    this.#bestScore = new Float32Array(rows);
    this.#bestClass = new Uint16Array(rows);
  }
}

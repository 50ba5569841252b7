/**
 * How a detector lays its output out.
 * - `yolov5`: `[1,N,5+classes]`, rows cx, cy, w, h, objectness, class scores.
 * - `yolov8`: `[1,4+classes,N]`, the same without objectness, one line per quantity.
 * - `end-to-end`: `[1,M,6]`, rows x1, y1, x2, y2, score, class; suppression already done inside the model.
 * Boxes are in input pixels, scores in 0..1.
 */
export type OutputLayout = 'yolov5' | 'yolov8' | 'end-to-end';

/** Shape of one output tensor once the layout is known. */
export interface OutputShape {
  readonly layout: OutputLayout;
  readonly rows: number;
  readonly classCount: number;
}

/** Values per row: `rows * columns` is the size of the tensor. */
export function columnsOf(shape: Pick<OutputShape, 'layout' | 'classCount'>): number {
  switch (shape.layout) {
    case 'yolov5':
      return 5 + shape.classCount;
    case 'yolov8':
      return 4 + shape.classCount;
    case 'end-to-end':
      return 6;
    default:
      return shape.layout satisfies never;
  }
}

import { describe, expect, it } from '@jest/globals';
import { LayoutMismatchError } from '../errors.ts';
import { detectLayout } from './detect-layout.ts';
import type { LayoutQuestion } from './detect-layout.ts';

const at = (side: number) => [1, 3, side, side];

describe('detectLayout', () => {
  it.each<[string, LayoutQuestion, object]>([
    [
      'YOLOv5 at 640',
      { outputDims: [1, 25200, 85], inputDims: at(640), classCount: 80 },
      { layout: 'yolov5', rows: 25200, classCount: 80 },
    ],
    [
      'one box per cell at 416',
      { outputDims: [1, 3549, 7], inputDims: at(416), classCount: 2 },
      { layout: 'yolov5', rows: 3549, classCount: 2 },
    ],
    ['YOLOv8 at 640', { outputDims: [1, 84, 8400], inputDims: at(640), classCount: 80 }, { layout: 'yolov8', rows: 8400, classCount: 80 }],
    [
      'YOLOv8 with two classes looks like rows of six the other way round',
      { outputDims: [1, 6, 8400], inputDims: at(640), classCount: 2 },
      { layout: 'yolov8', rows: 8400, classCount: 2 },
    ],
    ['end-to-end', { outputDims: [1, 300, 6], inputDims: at(640), classCount: 80 }, { layout: 'end-to-end', rows: 300, classCount: 80 }],
    [
      'end-to-end with one class',
      { outputDims: [1, 300, 6], inputDims: at(640), classCount: 1 },
      { layout: 'end-to-end', rows: 300, classCount: 1 },
    ],
    [
      'YOLOv5 with one class',
      { outputDims: [1, 25200, 6], inputDims: at(640), classCount: 1 },
      { layout: 'yolov5', rows: 25200, classCount: 1 },
    ],
    [
      'a small YOLOv5 with one class, told by its count of anchors',
      { outputDims: [1, 756, 6], inputDims: at(192), classCount: 1 },
      { layout: 'yolov5', rows: 756, classCount: 1 },
    ],
    [
      'the same said to be end-to-end by its metadata',
      { outputDims: [1, 756, 6], inputDims: at(192), classCount: 1, metadata: { end2end: 'True' } },
      { layout: 'end-to-end', rows: 756, classCount: 1 },
    ],
    [
      'the same said to be end-to-end by the package',
      { outputDims: [1, 756, 6], inputDims: at(192), classCount: 1, declared: 'end-to-end' },
      { layout: 'end-to-end', rows: 756, classCount: 1 },
    ],
  ])('knows %s', (_, question, expected) => {
    expect(detectLayout(question)).toEqual(expected);
  });

  it.each<[string, LayoutQuestion, RegExp]>([
    [
      'a count of classes that fits no layout',
      { outputDims: [1, 25200, 85], inputDims: at(640), classCount: 3 },
      /expected \[1,N,5\+classes\]/,
    ],
    [
      'a declared layout that does not fit',
      { outputDims: [1, 84, 8400], inputDims: at(640), classCount: 80, declared: 'yolov5' },
      /expects \[1,N,85\]/,
    ],
    [
      'end-to-end metadata on raw anchors',
      { outputDims: [1, 25200, 85], inputDims: at(640), classCount: 80, metadata: { end2end: 'True' } },
      /M <= 1000/,
    ],
    ['a symbolic dimension', { outputDims: [1, 'anchors', 85], inputDims: at(640), classCount: 80 }, /'anchors' is not fixed/],
    ['a batch', { outputDims: [4, 25200, 85], inputDims: at(640), classCount: 80 }, /batch of 1/],
    ['a picture for an output', { outputDims: [1, 85, 80, 80], inputDims: at(640), classCount: 80 }, /3 dimensions/],
    ['no classes', { outputDims: [1, 25200, 5], inputDims: at(640), classCount: 0 }, /at least one class/],
    ['two layouts that fit alike', { outputDims: [1, 7, 8], inputDims: at(640), classCount: 3 }, /fit equally/],
    ['an empty output', { outputDims: [1, 0, 85], inputDims: at(640), classCount: 80 }, /not fixed/],
  ])('refuses %s', (_, question, message) => {
    expect(() => detectLayout(question)).toThrow(LayoutMismatchError);
    expect(() => detectLayout(question)).toThrow(message);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LabelLineError } from '../errors.ts';
import {
  LABEL_LINES_MAX,
  formatYoloLabels,
  parseClassNames,
  parseYoloLabelLines,
  parseYoloLabels,
  toCorners,
  toFractions,
} from './yolo-labels.ts';

const source = { file: 'labels/a.txt', classCount: 2 };
const good = '0 0.5 0.5 0.2 0.1';

describe('parseYoloLabels', () => {
  it('reads boxes, skips empty lines, takes Windows line ends and tabs', () => {
    expect(parseYoloLabels(`${good}\r\n\r\n1\t0.1 0.2  1.0 1e-1\n`, source)).toEqual([
      { classId: 0, cx: 0.5, cy: 0.5, w: 0.2, h: 0.1 },
      { classId: 1, cx: 0.1, cy: 0.2, w: 1, h: 0.1 },
    ]);
    expect(parseYoloLabels('', source)).toEqual([]);
  });

  it.each([
    ['0 nan 0.5 0.2 0.1', "'nan' is not a number"],
    ['0 NaN 0.5 0.2 0.1', "'NaN' is not a number"],
    ['0 0.5 Infinity 0.2 0.1', "'Infinity' is not a number"],
    ['0 0x1 0.5 0.2 0.1', "'0x1' is not a number"],
    ['helmet 0.5 0.5 0.2 0.1', "'helmet' is not a number"],
    ['0 0.5 0.5 0.2', 'expected 5 fields (class cx cy w h), got 4'],
    ['0 0.5 0.5 0.2 0.1 0.9', 'expected 5 fields (class cx cy w h), got 6'],
    ['2 0.5 0.5 0.2 0.1', 'class 2, but classes.txt names only 2'],
    ['-1 0.5 0.5 0.2 0.1', 'class -1 is not a whole number from 0'],
    ['0.5 0.5 0.5 0.2 0.1', 'class 0.5 is not a whole number from 0'],
    ['0 1.5 0.5 0.2 0.1', '1.5 is outside of 0..1'],
    ['0 0.5 -0.1 0.2 0.1', '-0.1 is outside of 0..1'],
    ['0 0.5 0.5 0 0.1', 'the box has no area'],
  ])('names file and line of: %s', (line, reason) => {
    const failure = attempt(() => parseYoloLabels(`${good}\n\n${line}\n`, source));
    expect(failure).toBeInstanceOf(LabelLineError);
    expect(failure).toMatchObject({ file: 'labels/a.txt', line: 3, reason, message: `labels/a.txt:3: ${reason}` });
  });

  it('hands the good lines over beside the bad ones', () => {
    const { boxes, bad } = parseYoloLabelLines(`${good}\nbad\n${good}\n7 0 0 1 1\n`, source);
    expect(boxes).toHaveLength(2);
    expect(bad.map(({ line }) => line)).toEqual([2, 4]);
  });

  it('refuses a file of too many lines', () => {
    expect(() => parseYoloLabels(`${good}\n`.repeat(LABEL_LINES_MAX), source)).toThrow(LabelLineError);
  });

  it('reads back what it writes, to a millionth', () => {
    const part = fc.integer({ min: 1, max: 1_000_000 }).map((n) => n / 1_000_000);
    const box = fc.record({ classId: fc.nat(1), cx: part, cy: part, w: part, h: part });
    fc.assert(
      fc.property(fc.array(box), (boxes) => {
        expect(parseYoloLabels(formatYoloLabels(boxes), source)).toEqual(boxes);
      }),
    );
  });
});

describe('toCorners and toFractions', () => {
  it('are inverse inside the picture', () => {
    const size = { width: 640, height: 480 };
    expect(toCorners({ cx: 0.5, cy: 0.5, w: 0.25, h: 0.5 }, size)).toEqual({ x1: 240, y1: 120, x2: 400, y2: 360 });
    expect(toFractions({ x1: 240, y1: 120, x2: 400, y2: 360 }, size)).toEqual({ cx: 0.5, cy: 0.5, w: 0.25, h: 0.5 });
  });

  it('clip a box that sticks out', () => {
    expect(toCorners({ cx: 0, cy: 1, w: 0.5, h: 0.5 }, { width: 100, height: 100 })).toEqual({ x1: 0, y1: 75, x2: 25, y2: 100 });
  });
});

describe('parseClassNames', () => {
  it('reads one name a line', () => expect(parseClassNames('helmet\r\nhead\n\n', 'classes.txt')).toEqual(['helmet', 'head']));
  it.each(['', 'a\n\nb\n', 'a\nb\na\n'])('refuses %j', (text) =>
    expect(() => parseClassNames(text, 'classes.txt')).toThrow(LabelLineError),
  );
});

function attempt(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

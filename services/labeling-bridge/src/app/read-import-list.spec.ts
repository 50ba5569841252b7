import { describe, expect, it } from '@jest/globals';
import { readImportList } from './read-import-list.ts';

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const box = { classId: 0, cx: 0.5, cy: 0.5, w: 0.1, h: 0.1 };

function item(changes: object = {}, digit = '1'): object {
  return {
    picture: { bucket: 'datasets', key: `pictures/${digit}.jpg`, digest: digest(digit), bytes: 10 },
    boxes: [box],
    slice: 'day',
    ...changes,
  };
}

function refusal(list: unknown, known: readonly string[] = []): string {
  const reading = readImportList(list, known);
  return reading.ok ? 'ok' : `${reading.problem.code}: ${reading.problem.say}`;
}

describe('an import list', () => {
  it('is taken when every item is well', () => {
    expect(readImportList({ classes: ['helmet'], items: [item()] }, [])).toMatchObject({ ok: true, list: { classes: ['helmet'] } });
  });

  it.each([
    [null, /^unreadable-list/],
    [{ classes: 'helmet', items: [] }, /^unreadable-list: .*classes/],
    [{ classes: [], items: [item()] }, /^no-classes: .*classes\.txt/],
    [{ classes: ['a'], items: [] }, /^no-items: .*label at least/],
    [{ classes: ['a', 'a'], items: [item()] }, /^unreadable-list: .*twice/],
    [{ classes: ['a'], items: [item(), item({ slice: '' }, '2')] }, /^bad-item: item 1 \(pictures\/2\.jpg\): slice/],
    [{ classes: ['a'], items: [item({ boxes: [{ ...box, cx: null }] })] }, /^bad-item: item 0 \(pictures\/1\.jpg\): boxes\.0\.cx/],
    [
      { classes: ['a'], items: [item({ boxes: [box, { ...box, classId: 1 }] })] },
      /^class-out-of-range: item 0 \(pictures\/1\.jpg\), box 1: class 1 does not exist; there are: 0 a/,
    ],
    [{ classes: ['a'], items: [item(), item({ boxes: [] })] }, /^contradiction: item 1/],
  ])('is refused with the item and what to do: %j', (list, expected) => {
    expect(refusal(list)).toMatch(expected);
  });

  it('must have the classes of what was imported before', () => {
    const list = { classes: ['head', 'helmet'], items: [item()] };
    expect(refusal(list, ['head', 'helmet'])).toBe('ok');
    expect(refusal(list, ['helmet', 'head'])).toMatch(/^classes-differ: .*helmet, head.*head, helmet/);
  });

  it('may name the same picture twice with the same boxes', () => {
    expect(readImportList({ classes: ['a'], items: [item(), item()] }, [])).toMatchObject({ list: { items: [expect.anything()] } });
  });
});

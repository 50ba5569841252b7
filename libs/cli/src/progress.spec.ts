import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Progress } from './progress.ts';

let now: number;
let written: string[];
let progress: Progress;

function begin(isTTY: boolean): Progress {
  return new Progress({ write: (text) => written.push(text), isTTY }, () => now);
}

beforeEach(() => {
  now = 1_000;
  written = [];
});
afterEach(() => progress.end());

describe('progress', () => {
  it('says nothing of work that takes less than two seconds', () => {
    progress = begin(false);
    now += 1_999;
    progress.tell('photos 1 of 2');
    progress.end();
    expect(written).toEqual([]);
  });

  it('is a line every five seconds where lines stay', () => {
    progress = begin(false);
    for (const [passed, done] of [
      [2_000, 1],
      [4_000, 2],
      [5_000, 3],
    ] as const) {
      now += passed;
      progress.tell(`photos ${done} of 3`);
    }
    expect(written).toEqual(['photos 1 of 3\n', 'photos 3 of 3\n']);
  });

  it('is one line on a terminal, gone at the end', () => {
    progress = begin(true);
    now += 2_000;
    progress.tell('photos 1 of 2');
    now += 250;
    progress.tell('photos 2 of 2');
    progress.end();
    expect(written).toEqual(['\r\u001b[2Kphotos 1 of 2', '\r\u001b[2Kphotos 2 of 2', '\r\u001b[2K']);
  });
});

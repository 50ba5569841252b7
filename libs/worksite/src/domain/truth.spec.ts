import { describe, expect, it } from '@jest/globals';
import { HEAD, HELMET } from './look.ts';
import { truthOf } from './truth.ts';

const WIDTH = 20;

function ownersWith(...rectangles: readonly (readonly [owner: number, x: number, y: number, w: number, h: number])[]): Uint8Array {
  const owners = new Uint8Array(WIDTH * 20);
  for (const [owner, x, y, w, h] of rectangles) {
    for (let row = y; row < y + h; row += 1) owners.fill(owner, row * WIDTH + x, row * WIDTH + x + w);
  }
  return owners;
}

describe('truth', () => {
  it('is the box around what can be seen of a head', () => {
    const heads = [{ owner: 1, classId: HELMET, pixelsWhole: 80 } as const];
    expect(truthOf(heads, ownersWith([1, 2, 3, 8, 10]), WIDTH)).toEqual([{ classId: HELMET, x: 2, y: 3, w: 8, h: 10 }]);
  });

  it('shrinks to the part that another head leaves free', () => {
    const heads = [
      { owner: 1, classId: HELMET, pixelsWhole: 100 },
      { owner: 2, classId: HEAD, pixelsWhole: 100 },
    ] as const;
    expect(truthOf(heads, ownersWith([1, 0, 0, 10, 10], [2, 5, 0, 10, 10]), WIDTH)).toEqual([
      { classId: HELMET, x: 0, y: 0, w: 5, h: 10 },
      { classId: HEAD, x: 5, y: 0, w: 10, h: 10 },
    ]);
  });

  it('keeps a head of which exactly the least share is seen, and drops one with a pixel less', () => {
    const owners = ownersWith([1, 0, 0, 5, 6]);
    expect(truthOf([{ owner: 1, classId: HEAD, pixelsWhole: 100 }], owners, WIDTH)).toHaveLength(1);
    expect(truthOf([{ owner: 1, classId: HEAD, pixelsWhole: 101 }], owners, WIDTH)).toEqual([]);
  });

  it('drops a head that is fully hidden and one too small to label', () => {
    const heads = [
      { owner: 1, classId: HEAD, pixelsWhole: 9 },
      { owner: 2, classId: HEAD, pixelsWhole: 16 },
    ] as const;
    expect(truthOf(heads, ownersWith([2, 0, 0, 4, 4]), WIDTH)).toEqual([]);
  });
});

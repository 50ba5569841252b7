import { describe, expect, it } from '@jest/globals';
import { drawDetections } from './draw-detections.ts';
import { glyphOf } from './glyphs.ts';
import { decodePicture, pictureFormat } from './read-picture.ts';

const black = (width: number, height: number) => ({ rgb: new Uint8Array(width * height * 3), width, height });

async function drawn(...args: Parameters<typeof drawDetections>) {
  const png = await drawDetections(...args);
  expect(pictureFormat(png)).toBe('png');
  const picture = await decodePicture(png);
  return {
    ...picture,
    at: (x: number, y: number) => [...picture.rgb.subarray((y * picture.width + x) * 3, (y * picture.width + x) * 3 + 3)],
  };
}

describe('drawDetections', () => {
  it('draws the frame of a box in the colour of its class and leaves the inside alone', async () => {
    const box = { x1: 100, y1: 200, x2: 300, y2: 400, classId: 0, label: 'helmet 0.87' };
    const { at, width } = await drawn(black(1000, 800), [box, { ...box, x1: 500, x2: 700, classId: 1 }]);
    expect(width).toBe(1000);
    expect(at(100, 300)).toEqual([230, 159, 0]);
    expect(at(500, 300)).toEqual([86, 180, 233]);
    expect(at(200, 300)).toEqual([0, 0, 0]);
    // The label stands above the box.
    expect(at(100, 196)).toEqual([230, 159, 0]);
  });

  it('draws a small picture larger, boxes with it', async () => {
    const { at, width, height } = await drawn(black(200, 100), [{ x1: 50, y1: 50, x2: 100, y2: 90, classId: 0, label: '' }]);
    expect({ width, height }).toEqual({ width: 800, height: 400 });
    expect(at(200, 300)).toEqual([230, 159, 0]);
  });

  it('writes the title, and keeps a label at the right edge inside', async () => {
    const { rgb, width } = await drawn(black(800, 100), [{ x1: 790, y1: 50, x2: 799, y2: 90, classId: 4, label: 'head 0.5' }], {
      title: 'before',
    });
    expect([...rgb.subarray(0, 3)]).toEqual([255, 255, 255]);
    const labelRow = rgb.subarray(45 * width * 3, 46 * width * 3);
    expect(labelRow.indexOf(213) / 3).toBeLessThan(770);
  });

  it('takes boxes that stick out, and letters it does not know', async () => {
    await drawn(black(900, 900), [{ x1: -50, y1: -50, x2: 5000, y2: 5000, classId: 99, label: 'Bauhelm ü 安全' }]);
    expect(glyphOf('安')).toEqual(glyphOf('?'));
    expect(glyphOf('a')).toEqual(glyphOf('A'));
    expect(glyphOf(' ')).toEqual([]);
  });
});

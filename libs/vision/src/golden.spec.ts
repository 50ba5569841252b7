import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Detector, intersectionOverUnion } from './index.ts';
import type { Corners, DetectorOptions } from './index.ts';

interface Golden {
  readonly image: string;
  readonly detections: readonly { readonly class: string; readonly score: number; readonly box: [number, number, number, number] }[];
}

const SCORE_TOLERANCE = 0.02;
const BOX_TOLERANCE_PX = 2;
const THRESHOLD = 0.4;

const data = process.env.EDGELOOP_SHARED_DATA ?? resolve(fileURLToPath(new URL('../../../../shared/data', import.meta.url)));
const goldenFile = join(data, 'models/golden-v3.jsonl');
const withData = existsSync(goldenFile) ? describe : describe.skip;
if (!existsSync(goldenFile)) console.log(`skipped: no ${goldenFile}; set EDGELOOP_SHARED_DATA to the folder of models and photos`);

withData('the reference detector on the reference photos', () => {
  const goldens = existsSync(goldenFile)
    ? readFileSync(goldenFile, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Golden)
    : [];

  describe.each<[string, Partial<DetectorOptions>]>([
    ['hardhat-yolox-nano-416-v3.onnx', {}],
    ['hardhat-yolox-nano-416-v3-v8layout.onnx', {}],
  ])('%s', (model, options) => {
    let detector: Detector;

    beforeAll(async () => {
      detector = await Detector.load({ modelPath: join(data, 'models', model), thresholds: { score: THRESHOLD, iou: 0.5 }, ...options });
    });

    afterAll(() => detector.close());

    it('reads classes, input and layout from the model', () => {
      expect(detector.classes).toEqual(['helmet', 'head']);
      expect(detector.plan.input).toEqual({ width: 416, height: 416, range: '0..1', order: 'RGB' });
      expect(detector.shape).toEqual({ layout: model.includes('v8') ? 'yolov8' : 'yolov5', rows: 3549, classCount: 2 });
    });

    it.each(goldens.map((golden) => [golden.image, golden] as const))('finds in %s what it should', async (image, golden) => {
      const { detections } = await detector.detect(readFileSync(join(data, 'hardhat/images', image)));
      const found = detections.map((box) => ({ ...box, name: detector.classes[box.classId]! }));
      for (const expected of golden.detections) {
        const [x1, y1, x2, y2] = expected.box;
        const match = bestMatch(
          found.filter(({ name }) => name === expected.class),
          { x1, y1, x2, y2 },
        );
        expect(Math.abs(match.score - expected.score)).toBeLessThanOrEqual(SCORE_TOLERANCE);
        const off = Math.max(...[match.x1 - x1, match.y1 - y1, match.x2 - x2, match.y2 - y2].map(Math.abs));
        expect(off).toBeLessThanOrEqual(BOX_TOLERANCE_PX);
      }
      const clear = found.filter(({ score }) => score > THRESHOLD + SCORE_TOLERANCE);
      expect(clear.length).toBeLessThanOrEqual(golden.detections.length);
    });
  });
});

function bestMatch<T extends Corners>(found: readonly T[], truth: Corners): T {
  const [best] = found.toSorted((a, b) => intersectionOverUnion(b, truth) - intersectionOverUnion(a, truth));
  if (best === undefined) throw new Error('nothing of that class was found');
  return best;
}

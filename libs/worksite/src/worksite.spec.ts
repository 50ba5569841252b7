import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decodePicture } from '@edgeloop/vision';
import { renderScene, sceneIdOfJpeg, Worksite } from './worksite.ts';
import type { RenderRequest } from './worksite.ts';

const request: RenderRequest = { seed: 7, camera: 'gate', tick: 100, light: 'day' };

function digest(jpeg: Uint8Array): string {
  return createHash('sha256').update(jpeg).digest('hex');
}

async function brightness(jpeg: Uint8Array): Promise<number> {
  const { rgb } = await decodePicture(jpeg);
  return rgb.reduce((sum, value) => sum + value, 0) / rgb.length;
}

describe('the drawn worksite', () => {
  it('draws the same bytes for the same request, whoever draws them and in whatever order', async () => {
    const [one, other] = [new Worksite(), new Worksite()];
    await other.render({ ...request, tick: 990 });
    await other.render({ ...request, camera: 'crane', light: 'night' });
    for (const light of ['day', 'night', 0.4] as const) {
      const [a, b] = [await one.render({ ...request, light }), await other.render({ ...request, light })];
      expect(digest(a.jpeg)).toBe(digest(b.jpeg));
      expect(a.truth).toEqual(b.truth);
    }
  });

  it('draws other bytes for another seed, camera, tick or light', async () => {
    const changes: Partial<RenderRequest>[] = [{}, { seed: 8 }, { camera: 'crane' }, { tick: 101 }, { light: 'night' }, { light: 0.5 }];
    const digests = await Promise.all(changes.map(async (change) => digest((await renderScene({ ...request, ...change })).jpeg)));
    expect(new Set(digests).size).toBe(changes.length);
  });

  it('carries its scene id in the JPEG, from which another process knows the truth', async () => {
    const { jpeg, truth, sceneId } = await renderScene(request);
    expect(sceneIdOfJpeg(jpeg)).toBe(sceneId);
    expect(await new Worksite().truthOfJpeg(jpeg)).toEqual(truth);
    expect(await new Worksite().truthOfScene(sceneId)).toEqual(truth);
    expect(truth.length).toBeGreaterThan(0);
  });

  it('knows no truth of pictures that it did not draw', async () => {
    const { jpeg } = await renderScene(request);
    const bare = Buffer.concat([jpeg.subarray(0, 2), jpeg.subarray(4 + jpeg.readUInt16BE(4))]);
    for (const bytes of [bare, jpeg.subarray(0, 5), Buffer.from('no picture'), Buffer.alloc(0)]) {
      expect(await new Worksite().truthOfJpeg(bytes)).toBeNull();
    }
  });

  it('has truth boxes within the frame, by night where they are by day', async () => {
    for (let tick = 0; tick < 600; tick += 60) {
      const day = await renderScene({ ...request, tick });
      for (const box of day.truth) {
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.y).toBeGreaterThanOrEqual(0);
        expect(box.x + box.w).toBeLessThanOrEqual(480);
        expect(box.y + box.h).toBeLessThanOrEqual(360);
      }
      expect((await renderScene({ ...request, tick, light: 'night' })).truth).toEqual(day.truth);
    }
  });

  it('gets darker from day over dusk to night', async () => {
    const lights = await Promise.all([1, 0.5, 0].map(async (light) => brightness((await renderScene({ ...request, light })).jpeg)));
    expect(lights[0]! * 0.8).toBeGreaterThan(lights[1]!);
    expect(lights[1]! * 0.8).toBeGreaterThan(lights[2]!);
    expect(lights[2]! / lights[0]!).toBeCloseTo(0.28, 1);
  });

  it('draws any size, with the truth scaled along', async () => {
    const small = await renderScene({ ...request, size: { width: 240, height: 180 } });
    const large = await renderScene({ ...request, size: { width: 960, height: 720 } });
    expect(await decodePicture(small.jpeg)).toMatchObject({ width: 240, height: 180 });
    const widest = (boxes: readonly { w: number }[]): number => Math.max(...boxes.map((box) => box.w));
    expect(widest(large.truth) / widest(small.truth)).toBeCloseTo(4, 0);
  });

  it('refuses what it cannot draw', async () => {
    await expect(renderScene({ ...request, tick: -1 })).rejects.toMatchObject({ name: 'InvalidScene', field: 'tick' });
    await expect(renderScene({ ...request, camera: 'no dots.please' })).rejects.toMatchObject({ name: 'InvalidScene', field: 'camera' });
  });
});

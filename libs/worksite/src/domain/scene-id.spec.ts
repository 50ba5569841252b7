import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkScene, InvalidScene, parseSceneId, sceneIdOf } from './scene-id.ts';

const scenes = fc.record({
  seed: fc.integer(),
  camera: fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/),
  tick: fc.nat(),
  light: fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000),
  width: fc.integer({ min: 64, max: 2048 }),
  height: fc.integer({ min: 64, max: 2048 }),
});

describe('scene ids', () => {
  it('give back the request they were made from', () => {
    fc.assert(fc.property(scenes, (scene) => expect(parseSceneId(sceneIdOf(scene))).toEqual(scene)));
  });

  it('read nothing into other text', () => {
    fc.assert(fc.property(fc.string(), (text) => parseSceneId(text) === null));
    for (const text of [
      'worksite-1.1.cam.-1.1000.480x360',
      'worksite-1.1.cam.1.1000.480x',
      'worksite-1.01.cam.1.1000.480x360',
      'worksite-2.1.cam.1.1000.480x360',
    ]) {
      expect(parseSceneId(text)).toBeNull();
    }
  });

  it('refuse a scene that cannot be drawn and name the field', () => {
    const scene = { seed: 1, camera: 'gate', tick: 0, light: 1, width: 480, height: 360 };
    for (const [field, value] of [
      ['seed', 0.5],
      ['camera', 'a.b'],
      ['tick', -1],
      ['light', 1.2],
      ['light', Number.NaN],
      ['width', 5000],
      ['height', 1],
    ] as const) {
      expect(() => checkScene({ ...scene, [field]: value })).toThrow(expect.objectContaining({ name: 'InvalidScene', field }));
    }
    expect(new InvalidScene('tick', 'an integer from 0', -1).message).toBe('scene tick must be an integer from 0, got -1');
  });
});

/** What is needed to draw one frame again, and its truth with it. */
export interface SceneRequest {
  readonly seed: number;
  readonly camera: string;
  readonly tick: number;
  /** Daylight left: 1 = day, 0 = night (the night recipe in full). */
  readonly light: number;
  readonly width: number;
  readonly height: number;
}

const PREFIX = 'worksite-1';
const CAMERA = /^[A-Za-z0-9_-]{1,64}$/;
export const FRAME_SIDE_MIN = 64;
export const FRAME_SIDE_MAX = 2048;

/** A scene that cannot be drawn: which field, and what it must be. */
export class InvalidScene extends Error {
  readonly retryable = false;
  readonly field: string;
  readonly expected: string;
  readonly value: unknown;

  constructor(field: string, expected: string, value: unknown) {
    super(`scene ${field} must be ${expected}, got ${JSON.stringify(value)}`);
    this.name = 'InvalidScene';
    this.field = field;
    this.expected = expected;
    this.value = value;
  }
}

/** @throws InvalidScene */
export function checkScene(scene: SceneRequest): SceneRequest {
  const expect = (field: keyof SceneRequest, holds: boolean, expected: string): void => {
    if (!holds) throw new InvalidScene(field, expected, scene[field]);
  };
  expect('seed', Number.isSafeInteger(scene.seed), 'an integer');
  expect('camera', CAMERA.test(scene.camera), '1 to 64 letters, digits, "-" or "_"');
  expect('tick', Number.isSafeInteger(scene.tick) && scene.tick >= 0, 'an integer from 0');
  expect('light', scene.light >= 0 && scene.light <= 1, 'between 0 and 1');
  for (const side of ['width', 'height'] as const) {
    const within = Number.isInteger(scene[side]) && scene[side] >= FRAME_SIDE_MIN && scene[side] <= FRAME_SIDE_MAX;
    expect(side, within, `an integer from ${FRAME_SIDE_MIN} to ${FRAME_SIDE_MAX}`);
  }
  return scene;
}

/** One word that names the frame for ever: `worksite-1.<seed>.<camera>.<tick>.<light in thousandths>.<width>x<height>`. */
export function sceneIdOf(scene: SceneRequest): string {
  return [PREFIX, scene.seed, scene.camera, scene.tick, Math.round(scene.light * 1000), `${scene.width}x${scene.height}`].join('.');
}

/** The request behind a scene id; null where the text is no scene id. */
export function parseSceneId(text: string): SceneRequest | null {
  const [prefix, seed, camera, tick, light, size] = text.split('.');
  const [width, height] = (size ?? '').split('x');
  if (prefix !== PREFIX || camera === undefined) return null;
  const scene = {
    seed: Number(seed),
    camera,
    tick: Number(tick),
    light: Number(light) / 1000,
    width: Number(width),
    height: Number(height),
  };
  try {
    return sceneIdOf(checkScene(scene)) === text ? scene : null;
  } catch {
    return null;
  }
}

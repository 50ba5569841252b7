import { toFractions } from '@edgeloop/vision';
import type { LabelledBox } from '@edgeloop/vision';
import { FRAME, WORKSITE_CLASSES, Worksite } from '@edgeloop/worksite';
import type { TruthBox } from '@edgeloop/worksite';
import type { Light, TrueFrame, World } from './world.ts';

/** Ticks of the score lie this far behind anything that a camera is shown. */
const SCORE_TICK_FIRST = 1_000_000;
/** Frames that each light is scored on. */
export const SCORE_FRAMES = 120;
/** Neighbouring score frames of a camera differ by this many ticks, so that they show different people. */
const SCORE_TICK_STEP = 37;
/** Cameras look at the site once in so many ticks: people have moved on between two frames. */
const TICKS_PER_LOOK = 5;

/** Scenes drawn from emoji art: deterministic by seed, and the truth is known because we drew it. */
export class DrawnWorld implements World {
  readonly classes: readonly string[] = WORKSITE_CLASSES;
  readonly #site = new Worksite();
  readonly #seed: number;
  readonly #cameras: number;
  readonly #looks = new Map<number, number>();
  #light: Light = 1;

  constructor(seed: number, cameras: number) {
    this.#seed = seed;
    this.#cameras = cameras;
  }

  setLight(light: Light): void {
    this.#light = light;
  }

  async look(camera: number): Promise<Uint8Array> {
    const looks = this.#looks.get(camera) ?? 0;
    this.#looks.set(camera, looks + 1);
    return (await this.#render(camera, looks * TICKS_PER_LOOK, this.#light)).jpeg;
  }

  async truthOf(jpeg: Uint8Array): Promise<readonly LabelledBox[] | undefined> {
    const truth = await this.#site.truthOfJpeg(jpeg);
    return truth?.map(labelOf);
  }

  async *unseenFrames(light: Light): AsyncIterable<TrueFrame> {
    for (let index = 0; index < SCORE_FRAMES; index += 1) {
      const scene = await this.#render(index % this.#cameras, SCORE_TICK_FIRST + index * SCORE_TICK_STEP, light);
      yield { jpeg: scene.jpeg, truth: scene.truth.map(labelOf) };
    }
  }

  #render(camera: number, tick: number, light: Light) {
    return this.#site.render({ seed: this.#seed, camera: `site${camera}`, tick, light });
  }
}

function labelOf({ classId, x, y, w, h }: TruthBox): LabelledBox {
  return { classId, ...toFractions({ x1: x, y1: y, x2: x + w, y2: y + h }, FRAME) };
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_THRESHOLDS, Detector, drawDetections, evaluateModel } from '@edgeloop/vision';
import type { LabelledBox } from '@edgeloop/vision';
import { DAY, NIGHT } from '../world/world.ts';
import { UserError } from '../user-error.ts';
import type { Light, TrueFrame, World } from '../world/world.ts';

/** mAP50 on frames that were never collected; null where they hold no box. */
export interface LightScores {
  readonly day: number | null;
  readonly night: number | null;
}

export const LIGHTS: Readonly<Record<keyof LightScores, Light>> = { day: DAY, night: NIGHT };

/** Frames are drawn or developed once and kept for every model that is scored. */
export class FieldScore {
  readonly #frames: Readonly<Record<keyof LightScores, readonly TrueFrame[]>>;
  readonly #classes: readonly string[];

  private constructor(frames: Readonly<Record<keyof LightScores, readonly TrueFrame[]>>, classes: readonly string[]) {
    this.#frames = frames;
    this.#classes = classes;
  }

  /** @param collected digests (hex) of every sample that was ever accepted. @throws UserError when nothing else is left */
  static async prepare(world: World, collected: ReadonlySet<string>): Promise<FieldScore> {
    const frames = async (light: Light): Promise<readonly TrueFrame[]> => Array.fromAsync(world.unseenFrames(light, collected));
    const [day, night] = [await frames(LIGHTS.day), await frames(LIGHTS.night)];
    if (night.length === 0)
      throw new UserError('every photo of the stream was collected, none is left to score on: give more photos, or fewer --rounds');
    return new FieldScore({ day, night }, world.classes);
  }

  get frames(): { day: number; night: number } {
    return { day: this.#frames.day.length, night: this.#frames.night.length };
  }

  async of(model: Uint8Array): Promise<LightScores> {
    return withModelFile(model, async (modelPath) => {
      const all = [...this.#sliced('day'), ...this.#sliced('night')];
      const { slices } = await evaluateModel({ modelPath, frames: iterate(all), classes: this.#classes });
      return { day: slices['day']?.map50 ?? null, night: slices['night']?.map50 ?? null };
    });
  }

  /** The same night frame seen by both models, as PNG; of some frames, the one whose boxes grew the most. */
  async picturePair(before: NamedModel, after: NamedModel): Promise<{ before: Uint8Array; after: Uint8Array }> {
    const frame = await this.#tellingFrame(before.bytes, after.bytes);
    return { before: await draw(before, frame, this.#classes), after: await draw(after, frame, this.#classes) };
  }

  async #tellingFrame(before: Uint8Array, after: Uint8Array): Promise<TrueFrame> {
    const some = this.#frames.night.slice(0, PICTURE_CANDIDATES);
    const [old, fresh] = [await detectionsOf(before, some), await detectionsOf(after, some)];
    const gain = (index: number): number => (fresh[index] ?? 0) - (old[index] ?? 0);
    const best = [...some.keys()].reduce((left, right) => (gain(right) > gain(left) ? right : left), 0);
    return some[best] as TrueFrame;
  }

  *#sliced(slice: keyof LightScores): Iterable<{ name: string; picture: Uint8Array; truth: readonly LabelledBox[]; slice: string }> {
    for (const { jpeg, truth } of this.#frames[slice]) yield { name: slice, picture: jpeg, truth, slice };
  }
}

export interface NamedModel {
  readonly title: string;
  readonly bytes: Uint8Array;
}

const PICTURE_CANDIDATES = 24;

async function* iterate<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items;
}

async function withModelFile<T>(model: Uint8Array, work: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeloop-score-'));
  try {
    const path = join(folder, 'model.onnx');
    await writeFile(path, model);
    return await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function detectionsOf(model: Uint8Array, frames: readonly TrueFrame[]): Promise<number[]> {
  return withModelFile(model, async (modelPath) => {
    const detector = await Detector.load({ modelPath });
    const counts: number[] = [];
    for (const frame of frames) counts.push(Math.min((await detector.detect(frame.jpeg)).detections.length, frame.truth.length));
    await detector.close();
    return counts;
  });
}

async function draw(model: NamedModel, frame: TrueFrame, classes: readonly string[]): Promise<Uint8Array> {
  return withModelFile(model.bytes, async (modelPath) => {
    const detector = await Detector.load({ modelPath, thresholds: DEFAULT_THRESHOLDS });
    const { detections } = await detector.detect(frame.jpeg);
    await detector.close();
    const boxes = detections.map((each) => ({ ...each, label: `${classes[each.classId] ?? each.classId} ${each.score.toFixed(2)}` }));
    return drawDetections(frame.jpeg, boxes, { title: model.title });
  });
}

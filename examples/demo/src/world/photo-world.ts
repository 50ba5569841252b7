import { readFile } from 'node:fs/promises';
import type { LabelledPhoto } from '@edgeloop/cli';
import { sha256Hex } from '@edgeloop/store';
import { decodePicture, encodeJpeg, nightOf } from '@edgeloop/vision';
import type { LabelledBox } from '@edgeloop/vision';
import type { Light, TrueFrame, World } from './world.ts';

const DAY_QUALITY = 85;

/**
 * Real photos as cameras see them: each camera walks through its own share, day after day; below half light it sees the
 * night version. Every look has noise of its own, as a sensor would.
 */
export class PhotoWorld implements World {
  readonly classes: readonly string[];
  readonly #photos: readonly LabelledPhoto[];
  readonly #cameras: number;
  readonly #seed: number;
  readonly #looks = new Map<number, number>();
  /** Which photo a frame shows, by the digest of its bytes: one entry a frame shown, some 100 bytes each. */
  readonly #shown = new Map<string, LabelledPhoto>();
  #light: Light = 1;

  constructor(options: { classes: readonly string[]; photos: readonly LabelledPhoto[]; cameras: number; seed: number }) {
    this.classes = options.classes;
    this.#photos = options.photos;
    this.#cameras = Math.min(options.cameras, options.photos.length);
    this.#seed = options.seed;
  }

  setLight(light: Light): void {
    this.#light = light;
  }

  async look(camera: number): Promise<Uint8Array> {
    const share = this.#photos.filter((_, index) => index % this.#cameras === camera % this.#cameras);
    const looks = this.#looks.get(camera) ?? 0;
    this.#looks.set(camera, looks + 1);
    const photo = share[looks % share.length] as LabelledPhoto;
    const jpeg = await this.#photograph(photo, this.#light, this.#seed + looks * this.#cameras + camera);
    this.#shown.set(sha256Hex(jpeg), photo);
    return jpeg;
  }

  async truthOf(jpeg: Uint8Array): Promise<readonly LabelledBox[] | undefined> {
    return this.#shown.get(sha256Hex(jpeg))?.boxes;
  }

  /** A photo counts as collected when any frame that showed it was. */
  async *unseenFrames(light: Light, collected: ReadonlySet<string>): AsyncIterable<TrueFrame> {
    const taken = new Set([...collected].map((digest) => this.#shown.get(digest)));
    for (const [index, photo] of this.#photos.entries()) {
      if (!taken.has(photo)) yield { jpeg: await this.#photograph(photo, light, -1 - index), truth: photo.boxes };
    }
  }

  async #photograph(photo: LabelledPhoto, light: Light, seed: number): Promise<Uint8Array> {
    const bytes = await readFile(photo.path);
    return light < 0.5 ? nightOf(bytes, seed) : encodeJpeg(await decodePicture(bytes), DAY_QUALITY);
  }
}

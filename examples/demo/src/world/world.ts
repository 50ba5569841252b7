import type { LabelledBox } from '@edgeloop/vision';

/** How bright the world is: 1 is noon, 0 is the night of the models' nightmares. */
export type Light = number;

export const DAY: Light = 1;
export const NIGHT: Light = 0;

/** A frame of the world with its truth, outside what any camera was shown. */
export interface TrueFrame {
  readonly jpeg: Uint8Array;
  readonly truth: readonly LabelledBox[];
}

/** What cameras look at, and what is really there. Only the simulated person and the final score may ask for the truth. */
export interface World {
  readonly classes: readonly string[];
  /** The next frame of this camera (0-based) in the present light. */
  look(camera: number): Promise<Uint8Array>;
  setLight(light: Light): void;
  /** What is to be seen in a frame that `look` gave; undefined for foreign bytes. */
  truthOf(jpeg: Uint8Array): Promise<readonly LabelledBox[] | undefined>;
  /** Frames for the score: never collected, and never trained on. */
  unseenFrames(light: Light, collected: ReadonlySet<string>): AsyncIterable<TrueFrame>;
}

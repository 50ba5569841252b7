import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Frame, FrameSource } from '../../ports.ts';
import { isJpeg, Pace } from './pace.ts';
import type { SourceClocks } from './pace.ts';

export interface FolderSourceOptions {
  readonly folder: string;
  readonly framesPerSecond: number;
  /** Begin again after the last picture, with what lies in the folder then; else the source ends. */
  readonly loops: boolean;
  readonly clocks: SourceClocks;
}

const PICTURES = new Set(['.jpg', '.jpeg']);

/** The JPEGs of a folder, in the order of their names. */
export class FolderSource implements FrameSource {
  readonly #options: FolderSourceOptions;
  readonly #pace: Pace;
  #names: string[] = [];
  #at = 0;
  #sequence = 0;
  #ended = false;
  #skipped = 0;

  constructor(options: FolderSourceOptions) {
    this.#options = options;
    this.#pace = new Pace(options.framesPerSecond, options.clocks.monotonicMs);
  }

  /** Files that were no picture. */
  get skipped(): number {
    return this.#skipped;
  }

  async next(signal: AbortSignal): Promise<Frame | undefined> {
    while (!this.#ended && !signal.aborted) {
      await this.#pace.next(signal);
      if (signal.aborted) break;
      const name = await this.#nextName();
      if (name === undefined) continue;
      const sequence = this.#sequence++;
      const jpeg = await readFile(join(this.#options.folder, name)).catch(() => undefined);
      if (jpeg !== undefined && isJpeg(jpeg)) return { jpeg, capturedAtMs: this.#options.clocks.now(), sequence };
      this.#skipped += 1;
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#ended = true;
  }

  async #nextName(): Promise<string | undefined> {
    if (this.#at >= this.#names.length && (this.#sequence === 0 || this.#options.loops)) {
      const names = await readdir(this.#options.folder).catch(() => []);
      this.#names = names.filter((name) => PICTURES.has(extname(name).toLowerCase())).toSorted();
      this.#at = 0;
    }
    if (this.#at >= this.#names.length) this.#ended ||= !this.#options.loops;
    return this.#names[this.#at++];
  }
}

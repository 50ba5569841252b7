import type { RunningModel } from '@edgeloop/contracts';
import type { Logger } from '@edgeloop/runtime';
import { StepFailedError } from '../domain/failure.ts';
import type { DesiredRelease } from '../domain/release.ts';
import type { GenerationError } from '../inference/errors.ts';
import type { ServingModel } from '../inference/generation.ts';
import type { FramePipeline } from '../inference/pipeline.ts';
import type { LoadedModel } from '../inference/protocol.ts';
import type { ModelProcess, StartModel } from '../ports.ts';

/** A loaded release; what the pipeline serves frames with. */
export class LoadedRelease implements ServingModel {
  readonly release: DesiredRelease;
  /** The desired generation that brought it. */
  readonly generation: number;
  readonly process: ModelProcess;
  readonly infer: ModelProcess['infer'];

  constructor(release: DesiredRelease, generation: number, process: ModelProcess) {
    this.release = release;
    this.generation = generation;
    this.process = process;
    this.infer = (picture, bands) => process.infer(picture, bands);
  }

  get loaded(): ModelProcess['loaded'] {
    return this.process.loaded;
  }

  /** Named by the bytes that were loaded, not by what was asked for. */
  get running(): RunningModel {
    return { releaseId: this.release.releaseId, modelDigest: this.loaded.digest, generation: this.generation };
  }
}

interface ModelsParts {
  readonly pipeline: Pick<FramePipeline<LoadedRelease>, 'serving' | 'switchTo'>;
  readonly start: StartModel;
  readonly log: Logger;
}

/** The model processes of this node, by package digest: the one that serves, and beside it the one on trial. */
export class Models {
  readonly #parts: ModelsParts;
  readonly #loaded = new Map<string, LoadedRelease>();
  readonly #releases = new WeakMap<LoadedModel, LoadedRelease>();

  constructor(parts: ModelsParts) {
    this.#parts = parts;
  }

  /** Starts a process and loads the slot; one that runs already is kept. @throws GenerationError */
  async start(release: DesiredRelease, generation: number, slot: string, signal: AbortSignal): Promise<void> {
    if (this.#loaded.has(release.packageDigest)) return;
    const process = await this.#parts.start(slot, signal);
    const loaded = new LoadedRelease(release, generation, process);
    this.#loaded.set(release.packageDigest, loaded);
    this.#releases.set(loaded.loaded, loaded);
    void process.ended.then((cause) => this.#forget(loaded, cause));
  }

  has(packageDigest: string): boolean {
    return this.#loaded.has(packageDigest);
  }

  /** @throws StepFailedError `generation-died` */
  get(packageDigest: string): LoadedRelease {
    const found = this.#loaded.get(packageDigest);
    if (found !== undefined) return found;
    throw new StepFailedError({ reason: 'generation-died', detail: 'the model process is gone', severity: 'retry' });
  }

  /** Frames go to this release from the next one on; resolves when the one before has answered its last. */
  async switchTo(packageDigest: string): Promise<void> {
    await this.#parts.pipeline.switchTo(this.get(packageDigest));
  }

  /** What serves frames now, as it was loaded. */
  get serving(): LoadedRelease | undefined {
    const serving = this.#parts.pipeline.serving;
    return serving !== undefined && this.#loaded.get(serving.release.packageDigest) === serving ? serving : undefined;
  }

  /** Whose answer this was, also when the process is gone meanwhile. */
  releaseOf(loaded: LoadedModel): LoadedRelease | undefined {
    return this.#releases.get(loaded);
  }

  async stop(packageDigest: string): Promise<void> {
    const loaded = this.#loaded.get(packageDigest);
    this.#loaded.delete(packageDigest);
    await loaded?.process.stop();
  }

  async stopAllBut(packageDigest: string | undefined): Promise<void> {
    const others = [...this.#loaded.keys()].filter((digest) => digest !== packageDigest);
    await Promise.all(others.map((digest) => this.stop(digest)));
  }

  #forget(loaded: LoadedRelease, cause: GenerationError): void {
    const { packageDigest, releaseId } = loaded.release;
    if (this.#loaded.get(packageDigest) !== loaded) return;
    this.#loaded.delete(packageDigest);
    this.#parts.log.warn({ releaseId, err: cause }, 'a model process is gone');
  }
}

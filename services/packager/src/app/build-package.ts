import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Documents, MessageContext, Output } from '@edgeloop/bus';
import { PackageBuilt, PackageRefused, type RunCompleted, type ObjectRef, type PayloadOf } from '@edgeloop/contracts';
import {
  PACKAGE_BYTES_MAX,
  PackageInputError,
  PackageRefusedError,
  buildManifest,
  digestOf,
  extractPackage,
  writePackage,
} from '@edgeloop/model-package';
import type { Logger } from '@edgeloop/runtime';
import {
  DigestMismatchError,
  ObjectNotFoundError,
  ObjectTooLargeError,
  RUNS_BUCKET,
  hexOf,
  readVerified,
  type ObjectStore,
} from '@edgeloop/store';
import { decide, refused, type Built, type Outcome, type PackageEvent, type PackageRecord, type Refused } from '../domain/packaging.ts';
import type { ModelTrial, Tried } from '../ports.ts';

type Run = PayloadOf<typeof RunCompleted>;

export interface BuildPackageParts {
  readonly store: ObjectStore;
  readonly records: Documents<PackageRecord>;
  readonly trial: ModelTrial;
  readonly log: Logger;
  /** Folder for the files of packages under way. */
  readonly workFolder: string;
}

/** Turns the output of a run into a package that tests itself, or says why it cannot. */
export class BuildPackage {
  readonly #parts: BuildPackageParts;

  constructor(parts: BuildPackageParts) {
    this.#parts = parts;
  }

  async handle(run: Run, context: MessageContext): Promise<void> {
    const { records, log } = this.#parts;
    const known = await records.load(run.runId);
    if (known !== undefined) return;
    const outcome = await this.#attempt(run, context.signal);
    const fields = { runId: run.runId, messageId: context.id, correlationId: context.correlationId };
    await records.update(
      run.runId,
      (record) => {
        const decided = decide(record, run.runId, outcome);
        return decided && { state: decided.record, outputs: [outputOf(run, decided.event)] };
      },
      context,
    );
    if (outcome.kind === 'refused') log.warn({ ...fields, cause: outcome.cause, reason: outcome.reason }, 'run refused');
    else log.info({ ...fields, archive: outcome.archive }, 'package built');
  }

  async #attempt(run: Run, signal: AbortSignal): Promise<Outcome> {
    const folder = join(this.#parts.workFolder, `${process.pid}-${randomUUID()}`);
    await mkdir(folder, { recursive: true });
    try {
      return await this.#build(run, folder, signal);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #build(run: Run, folder: string, signal: AbortSignal): Promise<Outcome> {
    const modelPath = join(folder, 'model.onnx');
    const missing = await this.#fetchModel(run.model, modelPath);
    if (missing !== undefined) return missing;
    const picturePaths = await this.#fetchPictures(run, folder);
    if (picturePaths.length === 0)
      return refused('golden-pictures-missing', `none of the ${run.goldenPictures.length} golden pictures of the run can be fetched`);
    const tried = await this.#parts.trial.make({ modelPath, card: run.card, picturePaths, signal });
    if (tried.kind === 'refused') return tried;
    if (tried.blind || tried.skipped.length > 0)
      this.#parts.log.warn({ runId: run.runId, blind: tried.blind, skipped: tried.skipped }, 'golden vectors prove little');
    const built = await this.#pack(run, modelPath, tried);
    return built.kind === 'refused' ? built : await this.#proveAndStore(built, join(folder, 'package'), signal);
  }

  /** The whole model is read once to check it, so that what is tried is what the run promised. */
  async #fetchModel(model: ObjectRef, path: string): Promise<Refused | undefined> {
    const where = `${model.bucket}/${model.key}`;
    if (model.bytes === 0) return refused('model-missing', `the run's model ${where} is empty: did the job write its output?`);
    if (model.bytes > PACKAGE_BYTES_MAX)
      return refused('model-too-large', `the model has ${model.bytes} bytes, a package at most ${PACKAGE_BYTES_MAX}`);
    try {
      await writeFile(path, await readVerified(this.#parts.store, model));
      return undefined;
    } catch (cause) {
      if (cause instanceof ObjectNotFoundError) return refused('model-missing', `nothing lies at ${where}: did the job write its output?`);
      if (cause instanceof DigestMismatchError || cause instanceof ObjectTooLargeError) return refused('model-damaged', cause.message);
      throw cause;
    }
  }

  async #fetchPictures(run: Run, folder: string): Promise<string[]> {
    const paths: string[] = [];
    for (const [index, picture] of run.goldenPictures.entries()) {
      try {
        const path = join(folder, `picture-${index}`);
        await writeFile(path, await readVerified(this.#parts.store, picture));
        paths.push(path);
      } catch (cause) {
        if (!isUnusable(cause)) throw cause;
        this.#parts.log.warn({ runId: run.runId, picture, err: cause }, 'golden picture left out');
      }
    }
    return paths;
  }

  async #pack(run: Run, modelPath: string, tried: Tried): Promise<(Omit<Built, 'archive'> & { bytes: Uint8Array }) | Refused> {
    const pictures = new Map<string, Uint8Array>();
    for (const [index, { picture }] of tried.vectors.entries()) pictures.set(picture, await readFile(tried.picturePaths[index] as string));
    try {
      const manifest = buildManifest({
        card: run.card,
        model: run.model,
        inspection: tried.inspection,
        shape: tried.shape,
        goldens: { vectors: tried.vectors, pictures, blind: tried.blind },
        origin: { runId: run.runId, datasetId: run.datasetId, datasetDigest: run.datasetDigest },
      });
      return { kind: 'built', manifest, bytes: await writePackage({ manifest, model: await readFile(modelPath), pictures }) };
    } catch (cause) {
      if (cause instanceof PackageInputError) return refused('card-invalid', cause.message);
      throw cause;
    }
  }

  /** The finished archive is opened as a node would open it, and its model must answer alike in a fresh process. */
  async #proveAndStore(packed: Omit<Built, 'archive'> & { bytes: Uint8Array }, folder: string, signal: AbortSignal): Promise<Outcome> {
    const { manifest, bytes } = packed;
    try {
      const { modelPath } = await extractPackage(bytes, folder);
      const verified = await this.#parts.trial.verify({ modelPath, manifest, folder, signal });
      if (verified.kind === 'refused') return verified;
      if (!verified.verdict.passed)
        return refused('goldens-differ', `the model answers differently in a second session: ${verified.verdict.failures.join('; ')}`);
    } catch (cause) {
      if (cause instanceof PackageRefusedError) return refused('archive-unreadable', cause.message);
      throw cause;
    }
    const digest = digestOf(bytes);
    const archive = await this.#parts.store.put({ bucket: RUNS_BUCKET, key: `packages/${hexOf(digest)}.zip` }, bytes, {
      contentType: 'application/zip',
      digest,
    });
    return { kind: 'built', archive, manifest };
  }
}

function isUnusable(cause: unknown): boolean {
  return cause instanceof ObjectNotFoundError || cause instanceof DigestMismatchError || cause instanceof ObjectTooLargeError;
}

function outputOf(run: Run, event: PackageEvent): Output {
  if (event.type === 'built') {
    const { archive, manifest } = event.built;
    return {
      contract: PackageBuilt,
      id: event.id,
      payload: { packageId: event.packageId, runId: run.runId, archive, model: run.model, manifest },
    };
  }
  const { cause, reason } = event.refused;
  return { contract: PackageRefused, id: event.id, payload: { packageId: event.packageId, runId: run.runId, cause, reason } };
}

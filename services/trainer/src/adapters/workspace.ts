import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { ObjectRef } from '@edgeloop/contracts';
import { hexOf, keyOf, readVerified } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';
import type { OutputFile, PlacedFile } from '../domain/run.ts';

/** Transfers of one execution that run at once. */
const TRANSFERS_AT_ONCE = 8;
/** More output files than this are a mistake of the step. */
export const OUTPUT_FILES_MAX = 20_000;

export class TooManyOutputsError extends Error {
  override readonly name = 'TooManyOutputsError';
  readonly retryable = false;
  constructor(folder: string) {
    super(`${folder} holds more than ${OUTPUT_FILES_MAX} files: pack them into an archive`);
  }
}

export async function forEachAtOnce<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: Math.min(atOnce, items.length) }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(async (cause: { code?: string }) => {
    if (cause.code === 'EEXIST') return;
    await copyFile(from, to);
  });
}

/** Folders of one run on this machine: `objects/` by digest, and for each execution `inputs/`, `outputs/`, `config/`. */
export class Workspace {
  readonly #root: string;
  readonly #store: ObjectStore;
  readonly #runId: string;

  constructor(root: string, runId: string, store: ObjectStore) {
    this.#root = join(resolve(root), runId);
    this.#store = store;
    this.#runId = runId;
  }

  folder(node: string, name: 'inputs' | 'outputs' | 'config' | 'logs' | 'work'): string {
    return join(this.#root, node, name);
  }

  async prepare(node: string): Promise<void> {
    for (const name of ['inputs', 'outputs', 'config', 'logs', 'work'] as const) await mkdir(this.folder(node, name), { recursive: true });
  }

  async #fetch(object: ObjectRef): Promise<string> {
    const path = join(this.#root, 'objects', hexOf(object.digest));
    if (await exists(path)) return path;
    await mkdir(dirname(path), { recursive: true });
    const partial = `${path}.${process.pid}.part`;
    await writeFile(partial, await readVerified(this.#store, object));
    await rename(partial, path);
    return path;
  }

  /** Puts every input file in its place; files that are there already stay. */
  async fetchInputs(node: string, inputs: readonly PlacedFile[], signal: AbortSignal): Promise<void> {
    await forEachAtOnce(inputs, TRANSFERS_AT_ONCE, async ({ input, name, object }) => {
      signal.throwIfAborted();
      const target = join(this.folder(node, 'inputs'), input, name);
      await mkdir(dirname(target), { recursive: true });
      await linkOrCopy(await this.#fetch(object), target);
    });
  }

  /** Uploads all that the step left in its output folder, under `<runId>/<node>/<path>` of the `runs` bucket. */
  async storeOutputs(node: string, signal: AbortSignal): Promise<readonly OutputFile[]> {
    const folder = this.folder(node, 'outputs');
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    if (files.length > OUTPUT_FILES_MAX) throw new TooManyOutputsError(folder);
    const outputs: OutputFile[] = [];
    await forEachAtOnce(files, TRANSFERS_AT_ONCE, async (file) => {
      signal.throwIfAborted();
      outputs.push(await this.#storeOutput(node, relative(folder, file).split(sep), file));
    });
    return outputs.sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  async #storeOutput(node: string, path: readonly string[], file: string): Promise<OutputFile> {
    const hex = await hashFile(file);
    const kept = join(this.#root, 'objects', hex);
    await mkdir(dirname(kept), { recursive: true });
    await linkOrCopy(file, kept);
    const name = path.join('/');
    // The digest is part of the key: a step that ran again after a crash may have made other bytes under the same name.
    const key = keyOf(this.#runId, node, hex.slice(0, 12), ...path.map((segment) => segment.replaceAll(/[^A-Za-z0-9._-]/g, '_')));
    return { name, object: await this.#store.put({ bucket: 'runs', key }, await readFile(file)) };
  }

  async remove(): Promise<void> {
    await rm(this.#root, { recursive: true, force: true });
  }
}

import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
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

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function holds(path: string, hex: string): Promise<boolean> {
  return (await hashFile(path).catch((cause: { code?: string }) => (cause.code === 'ENOENT' ? undefined : Promise.reject(cause)))) === hex;
}

/** Nobody writes into what is kept by its digest. */
const KEPT_MODE = 0o444;
/** A step's own copy, to do with as it likes. */
const STEP_MODE = 0o644;

/** Bytes of its own, not a name of the same ones (a file system that can shares them until one side is written). Whole or not at all. */
async function copyTo(target: string, from: string | Uint8Array, mode: number): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const partial = `${target}.${randomUUID()}.part`;
  await (typeof from === 'string' ? copyFile(from, partial, constants.COPYFILE_FICLONE) : writeFile(partial, from));
  await chmod(partial, mode);
  await rename(partial, target);
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

  /** Empty folders for an execution that begins; what it keeps from attempt to attempt (`work`) and its log stay. */
  async prepare(node: string): Promise<void> {
    for (const name of ['inputs', 'outputs', 'config'] as const) await rm(this.folder(node, name), { recursive: true, force: true });
    for (const name of ['inputs', 'outputs', 'config', 'logs', 'work'] as const) await mkdir(this.folder(node, name), { recursive: true });
  }

  #kept(hex: string): string {
    return join(this.#root, 'objects', hex);
  }

  /** Path of the object's bytes on this machine, read from the store unless they are here and whole. */
  async #fetch(object: ObjectRef): Promise<string> {
    const hex = hexOf(object.digest);
    const path = this.#kept(hex);
    if (!(await holds(path, hex))) await copyTo(path, await readVerified(this.#store, object), KEPT_MODE);
    return path;
  }

  /** Puts a copy of every input file in its place: a step that writes into its inputs changes nothing that others get. */
  async fetchInputs(node: string, inputs: readonly PlacedFile[], signal: AbortSignal): Promise<void> {
    await forEachAtOnce(inputs, TRANSFERS_AT_ONCE, async ({ input, name, object }) => {
      signal.throwIfAborted();
      await copyTo(join(this.folder(node, 'inputs'), input, name), await this.#fetch(object), STEP_MODE);
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
    if (!(await holds(this.#kept(hex), hex))) await copyTo(this.#kept(hex), file, KEPT_MODE);
    const name = path.join('/');
    // The digest is part of the key: a step that ran again after a crash may have made other bytes under the same name.
    const key = keyOf(this.#runId, node, hex.slice(0, 12), ...path.map((segment) => segment.replaceAll(/[^A-Za-z0-9._-]/g, '_')));
    return { name, object: await this.#store.put({ bucket: 'runs', key }, await readFile(file)) };
  }

  async remove(): Promise<void> {
    await rm(this.#root, { recursive: true, force: true });
  }
}

import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ObjectRef } from '@edgeloop/contracts';
import { RUNS_BUCKET, digestFromHex, hexOf, keyOf, readVerified } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';
import type { OutputFile, PlacedFile } from '../domain/run.ts';
import { patiently } from '../patience.ts';
import type { Patience } from '../patience.ts';
import { readMarker, writeMarker } from './finished-marker.ts';
import type { FinishedMarker } from './finished-marker.ts';
import { holds, placeFile } from './whole-file.ts';

/** Transfers of one execution that run at once. */
const TRANSFERS_AT_ONCE = 8;
/** Nobody writes into what is kept by its digest. */
const KEPT_MODE = 0o444;
/** A step's own copy, to do with as it likes. */
const STEP_MODE = 0o644;

/** Every transfer is tried again on its own; the first that fails for good ends the others, and is thrown when they have ended. */
async function transferAll<T>(items: readonly T[], patience: Patience, transfer: (item: T) => Promise<void>): Promise<void> {
  const broken = new AbortController();
  const signal = AbortSignal.any([patience.signal, broken.signal]);
  const queue = items.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      signal.throwIfAborted();
      await patiently(() => transfer(item), { ...patience, signal });
    }
  };
  const guarded = (): Promise<void> =>
    worker().catch((cause: unknown) => {
      failures.push(cause);
      broken.abort();
    });
  await Promise.all(Array.from({ length: Math.min(TRANSFERS_AT_ONCE, items.length) }, guarded));
  if (failures.length > 0) throw failures[0];
}

/**
 * Folders of one run on this machine: `objects/` by digest, and for each execution `inputs/`, `outputs/`, `config/`, `logs/`, `work/`
 * and, once its process has ended well, the marker `finished.json`.
 */
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
    await rm(this.#marker(node), { force: true });
    for (const name of ['inputs', 'outputs', 'config'] as const) await rm(this.folder(node, name), { recursive: true, force: true });
    for (const name of ['inputs', 'outputs', 'config', 'logs', 'work'] as const) await mkdir(this.folder(node, name), { recursive: true });
  }

  /** Puts a copy of every input file in its place: a step that writes into its inputs changes nothing that others get. */
  async fetchInputs(node: string, inputs: readonly PlacedFile[], patience: Patience): Promise<void> {
    await transferAll(inputs, patience, async ({ input, name, object }) =>
      placeFile(join(this.folder(node, 'inputs'), input, name), await this.#fetch(object), STEP_MODE),
    );
  }

  /** The execution's process ended well: from now on its outputs can be stored without it. @throws TooManyOutputsError */
  finish(node: string, facts: Omit<FinishedMarker, 'files'>): Promise<FinishedMarker> {
    return writeMarker(this.#marker(node), this.folder(node, 'outputs'), facts);
  }

  /** What an earlier attempt at this very execution finished with; undefined: it has to run. */
  finished(node: string, fingerprint: string): Promise<FinishedMarker | undefined> {
    return readMarker(this.#marker(node), this.folder(node, 'outputs'), fingerprint);
  }

  /** Uploads what the step left in its output folder, under `<runId>/<node>/<digest>/<path>` of the `runs` bucket. */
  async storeOutputs(node: string, files: FinishedMarker['files'], patience: Patience): Promise<readonly OutputFile[]> {
    const outputs: OutputFile[] = [];
    await transferAll(Object.entries(files), patience, async ([name, hex]) => {
      outputs.push({ name, object: await this.#storeOutput(node, name, hex) });
    });
    return outputs.sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  async remove(): Promise<void> {
    await rm(this.#root, { recursive: true, force: true });
  }

  #marker(node: string): string {
    return join(this.#root, node, 'finished.json');
  }

  #kept(hex: string): string {
    return join(this.#root, 'objects', hex);
  }

  /** Path of the object's bytes on this machine, read from the store unless they are here and whole. */
  async #fetch(object: ObjectRef): Promise<string> {
    const hex = hexOf(object.digest);
    const path = this.#kept(hex);
    if (!(await holds(path, hex))) await placeFile(path, await readVerified(this.#store, object), KEPT_MODE);
    return path;
  }

  async #storeOutput(node: string, name: string, hex: string): Promise<ObjectRef> {
    const file = join(this.folder(node, 'outputs'), ...name.split('/'));
    if (!(await holds(this.#kept(hex), hex))) await placeFile(this.#kept(hex), file, KEPT_MODE);
    // The digest is part of the key: a step that ran again after a crash may have made other bytes under the same name.
    const path = name.split('/').map((segment) => segment.replaceAll(/[^A-Za-z0-9._-]/g, '_'));
    const key = keyOf(this.#runId, node, hex.slice(0, 12), ...path);
    return this.#store.put({ bucket: RUNS_BUCKET, key }, await readFile(file), { digest: digestFromHex(hex) });
  }
}

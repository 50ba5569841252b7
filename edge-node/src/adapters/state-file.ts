import { mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { NodeState } from '../domain/node-state.ts';
import type { StateStore } from '../ports.ts';
import { errorCode, syncDirectory } from './durable-files.ts';
import { StoredNodeState } from './stored-node-state.ts';

const GENERATIONS = ['gen-A.json', 'gen-B.json'] as const;
const MAGIC = 'edgeloop-state-1';
/** `<magic> <sequence> <length> <crc32>\n`, padded: fixed, so that a shorter header never leaves a tail of a longer one. */
const HEADER_BYTES = 64;
/** A state document holds one policy, three releases and few reports. */
export const STATE_BYTES_MAX = 1_048_576;

/** The state could not be stored: the step that it was to record must not start. */
export class StateNotStoredError extends Error {
  override readonly name = 'StateNotStoredError';
  readonly retryable = true;
  readonly code: string | undefined;
  constructor(cause: unknown) {
    super('the state of the node could not be written to its folder: check that the disk is not full, damaged or read-only', { cause });
    this.code = errorCode(cause);
  }
}

export interface LoadedState {
  readonly state: NodeState | undefined;
  /** Generations that were there and could not be believed. */
  readonly damaged: number;
}

/**
 * Two files that are written in turn, each with length, checksum and sequence: a torn write costs the generation that was
 * being written, never the one before. Blocks are overwritten in place, so a full disk does not stop it.
 */
export class StateFile implements StateStore {
  readonly #folder: string;
  #sequence = 0;
  #nextSlot = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async load(): Promise<LoadedState> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const found = await Promise.all(GENERATIONS.map((name) => readGeneration(join(this.#folder, name))));
    const sound = found.flatMap((generation, slot) => (typeof generation === 'object' ? [{ ...generation, slot }] : []));
    const newest = sound.toSorted((a, b) => b.sequence - a.sequence)[0];
    if (newest !== undefined) {
      this.#sequence = newest.sequence;
      this.#nextSlot = 1 - newest.slot;
    }
    return { state: newest?.state, damaged: found.filter((generation) => generation === 'damaged').length };
  }

  /** Resolves when the state is on the disk. @throws StateNotStoredError */
  async save(state: NodeState): Promise<void> {
    const path = join(this.#folder, GENERATIONS[this.#nextSlot] ?? GENERATIONS[0]);
    try {
      await writeGeneration(path, this.#sequence + 1, state);
      if (this.#sequence < GENERATIONS.length) await syncDirectory(this.#folder);
    } catch (cause) {
      throw new StateNotStoredError(cause);
    }
    this.#sequence += 1;
    this.#nextSlot = 1 - this.#nextSlot;
  }
}

async function writeGeneration(path: string, sequence: number, state: NodeState): Promise<void> {
  const body = Buffer.from(JSON.stringify(state));
  if (body.length > STATE_BYTES_MAX) throw new RangeError(`a state of ${body.length} bytes is over the limit of ${STATE_BYTES_MAX}`);
  const header = `${MAGIC} ${sequence} ${body.length} ${crc32(body)}`.padEnd(HEADER_BYTES - 1) + '\n';
  const file = await openInPlace(path);
  try {
    const bytes = Buffer.concat([Buffer.from(header), body]);
    const { bytesWritten } = await file.write(bytes, 0, bytes.length, 0);
    if (bytesWritten !== bytes.length) throw new RangeError(`only ${bytesWritten} of ${bytes.length} bytes of the state were written`);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function openInPlace(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (cause) {
    if (errorCode(cause) !== 'ENOENT') throw cause;
    return open(path, 'wx+', 0o600);
  }
}

async function readGeneration(path: string): Promise<{ sequence: number; state: NodeState } | 'absent' | 'damaged'> {
  let bytes: Buffer;
  try {
    bytes = await readBounded(path);
  } catch (cause) {
    return errorCode(cause) === 'ENOENT' ? 'absent' : 'damaged';
  }
  return parseGeneration(bytes) ?? 'damaged';
}

async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(HEADER_BYTES + STATE_BYTES_MAX);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function parseGeneration(bytes: Buffer): { sequence: number; state: NodeState } | undefined {
  const [magic, sequence, length, checksum] = bytes.subarray(0, HEADER_BYTES).toString('latin1').trim().split(' ');
  const body = bytes.subarray(HEADER_BYTES, HEADER_BYTES + Number(length));
  if (magic !== MAGIC || body.length !== Number(length) || crc32(body) !== Number(checksum)) return undefined;
  const parsed = StoredNodeState.safeParse(JSON.parse(body.toString('utf8')));
  return parsed.success ? { sequence: Number(sequence), state: parsed.data } : undefined;
}

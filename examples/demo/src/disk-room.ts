import { statfs } from 'node:fs/promises';
import { UserError } from './user-error.ts';

const MIB = 1024 * 1024;
/** Free bytes without which a turn is not begun: pictures lie in the store, in datasets and in training folders. */
export const ROOM_AT_START_BYTES = 512 * MIB;
/** Free bytes below which a turn is ended in good order, before engines and services meet a full disk. */
export const ROOM_LEAST_BYTES = 64 * MIB;
const LOOK_EVERY_MS = 2_000;

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function tooLittle(folder: string, free: number, needed: number): UserError {
  const mib = (bytes: number): number => Math.floor(bytes / MIB);
  return new UserError(
    `only ${mib(free)} MiB are free on the disk of ${folder}, ${mib(needed)} are needed: make room there, or name a folder on another disk with EDGELOOP_HOME`,
  );
}

/** @throws UserError when the disk that `folder` lies on has less room than a turn needs */
export async function requireRoom(folder: string): Promise<void> {
  const free = await freeBytes(folder);
  if (free < ROOM_AT_START_BYTES) throw tooLittle(folder, free, ROOM_AT_START_BYTES);
}

export interface RoomWatch {
  /** Aborted, with a UserError as its reason, when room runs out. */
  readonly signal: AbortSignal;
  stop(): void;
}

/** Looks at the disk of `folder` as long as the turn runs. */
export function watchRoom(folder: string): RoomWatch {
  const full = new AbortController();
  const look = async (): Promise<void> => {
    const free = await freeBytes(folder);
    if (free < ROOM_LEAST_BYTES) full.abort(tooLittle(folder, free, ROOM_LEAST_BYTES));
  };
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS);
  timer.unref();
  return { signal: full.signal, stop: () => clearInterval(timer) };
}

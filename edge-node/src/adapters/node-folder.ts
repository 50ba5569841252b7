import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Logger } from '@edgeloop/runtime';
import { FRESH_LIVE, emptyNodeState } from '../domain/node-state.ts';
import type { Updater } from '../domain/node-state.ts';
import { evolve } from '../domain/updater.ts';
import { errorText } from '../domain/error-text.ts';
import { lockNodeFolder, NodeFolderInUseError } from './node-lock.ts';
import { Slots } from './slots.ts';
import { openSpool, SpoolTooNewError } from './spool/spool-database.ts';
import { StateFile } from './state-file.ts';

/** Everything that this node keeps on its disk, opened by one agent alone. */
export interface NodeFolder {
  readonly path: string;
  readonly stagingFolder: string;
  readonly metadataFolder: string;
  readonly stateFile: StateFile;
  readonly state: Updater;
  readonly slots: Slots;
  readonly database: DatabaseSync;
  close(): void;
}

/** The disk does not let this agent keep anything. */
export class NodeFolderUnusableError extends Error {
  override readonly name = 'NodeFolderUnusableError';
  readonly retryable = true;
  readonly path: string;
  constructor(path: string, cause: unknown) {
    super(
      `the folder of this node, ${path}, cannot be written (${errorText(cause)}): check that the disk is there, not full and not read-only`,
      {
        cause,
      },
    );
    this.path = path;
  }
}

/** @throws NodeFolderInUseError, NodeFolderUnusableError, SpoolTooNewError */
export async function openNodeFolder(path: string, nowMs: number, log: Logger): Promise<NodeFolder> {
  try {
    return await opened(path, nowMs, log);
  } catch (cause) {
    throw cause instanceof NodeFolderInUseError || cause instanceof SpoolTooNewError ? cause : new NodeFolderUnusableError(path, cause);
  }
}

async function opened(path: string, nowMs: number, log: Logger): Promise<NodeFolder> {
  const lock = await lockNodeFolder(path);
  const stagingFolder = join(path, 'staging');
  await mkdir(stagingFolder, { recursive: true });
  const stateFile = new StateFile(join(path, 'state'));
  const loaded = await stateFile.load();
  if (loaded.damaged > 0)
    log.warn({ damaged: loaded.damaged, lost: loaded.state === undefined }, 'a generation of the state file was damaged');
  const { database, fresh, setAside } = openSpool(join(path, 'spool', 'spool.db'), nowMs);
  if (setAside !== undefined) log.error({ setAside }, 'the spool was damaged and is put aside; a fresh one begins');
  const known: Updater = { node: loaded.state ?? emptyNodeState(randomUUID()), live: FRESH_LIVE };
  const state = fresh ? evolve(known, { type: 'epoch-renewed', epoch: randomUUID() }) : known;
  // What was numbered under the former epoch is numbered anew: on the disk before anything is said under it.
  if (state.node !== loaded.state) await stateFile.save(state.node);
  return {
    path,
    stagingFolder,
    metadataFolder: join(path, 'tuf'),
    stateFile,
    state,
    slots: new Slots(path),
    database,
    close: () => {
      database.close();
      lock.release();
    },
  };
}

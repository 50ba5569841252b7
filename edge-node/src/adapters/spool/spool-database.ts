import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const WAL_BYTES_MAX = 8_388_608;

const FIRST_SCHEMA = `
  CREATE TABLE samples (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    sample_id TEXT NOT NULL UNIQUE,
    campaign_id TEXT NOT NULL,
    stage TEXT NOT NULL,
    value REAL NOT NULL,
    bytes INTEGER NOT NULL,
    facts TEXT NOT NULL,
    object TEXT,
    announcements INTEGER NOT NULL DEFAULT 0,
    unknown_answers INTEGER NOT NULL DEFAULT 0,
    picture BLOB NOT NULL
  );
  CREATE INDEX samples_by_stage ON samples (stage, value, sequence);
  CREATE TABLE settled (number INTEGER PRIMARY KEY AUTOINCREMENT, sample_id TEXT NOT NULL UNIQUE, outcome TEXT NOT NULL);
  CREATE TABLE kept (number INTEGER PRIMARY KEY AUTOINCREMENT, policy_id TEXT NOT NULL, version INTEGER NOT NULL, rule TEXT NOT NULL, at_ms INTEGER NOT NULL, dhash TEXT NOT NULL);
  CREATE TABLE budgets (policy_id TEXT NOT NULL, version INTEGER NOT NULL, kept INTEGER NOT NULL, PRIMARY KEY (policy_id, version));
  CREATE TABLE reports (sequence INTEGER PRIMARY KEY, outcome INTEGER NOT NULL, payload TEXT NOT NULL);
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
`;

/** Budgets belong to a campaign: its policy gets a higher version whenever the campaign changes. `touched`: when last kept for, as a number of `kept`. */
const BUDGETS_BY_CAMPAIGN = `
  ALTER TABLE budgets RENAME TO version_budgets;
  CREATE TABLE budgets (campaign_id TEXT PRIMARY KEY, kept INTEGER NOT NULL, touched INTEGER NOT NULL);
  ALTER TABLE kept ADD COLUMN campaign_id TEXT NOT NULL DEFAULT '';
  CREATE INDEX samples_by_campaign ON samples (campaign_id, stage);
`;

/** Each brings a spool from the version of its place to the next; a fresh one goes through all of them. */
const MIGRATIONS = [FIRST_SCHEMA, BUDGETS_BY_CAMPAIGN];
const SCHEMA_VERSION = MIGRATIONS.length;

export interface OpenedSpool {
  readonly database: DatabaseSync;
  /** Nothing was there, or what was there could not be read: sequences begin again. */
  readonly fresh: boolean;
  /** Where a damaged spool was put aside. */
  readonly setAside: string | undefined;
}

/** Opens or makes the spool. What was committed survives a power cut (WAL, synced at every commit); a damaged file is put aside, never read on. */
export function openSpool(path: string, nowMs: number): OpenedSpool {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const existed = existsSync(path);
  try {
    return { ...opened(path), setAside: undefined };
  } catch (cause) {
    if (!existed || !isDamage(cause)) throw cause;
    const setAside = `${path}.damaged-${nowMs}`;
    for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, setAside + suffix);
    return { ...opened(path), setAside };
  }
}

function opened(path: string): { database: DatabaseSync; fresh: boolean } {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    database.exec(`PRAGMA journal_size_limit = ${WAL_BYTES_MAX}; PRAGMA busy_timeout = 2000`);
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version > SCHEMA_VERSION) throw new SpoolTooNewError(path, version);
    migrate(database, version);
    assertSound(database);
    return { database, fresh: version === 0 };
  } catch (cause) {
    database.close();
    throw cause;
  }
}

/** All of it or nothing: a power cut in between leaves the spool as it was. */
function migrate(database: DatabaseSync, from: number): void {
  const steps = MIGRATIONS.slice(from);
  if (steps.length === 0) return;
  transaction(database, () => database.exec(`${steps.join('')} PRAGMA user_version = ${SCHEMA_VERSION}`));
}

/** A newer agent wrote this folder. */
export class SpoolTooNewError extends Error {
  override readonly name = 'SpoolTooNewError';
  readonly retryable = false;
  constructor(path: string, version: number) {
    super(`the spool ${path} has format ${version}, this agent knows ${SCHEMA_VERSION}: run the newer agent again, or move the file away`);
  }
}

class SpoolDamagedError extends Error {
  override readonly name = 'SpoolDamagedError';
  readonly retryable = false;
}

function assertSound(database: DatabaseSync): void {
  const [first] = database.prepare('PRAGMA quick_check(1)').all() as { quick_check: string }[];
  if (first?.quick_check !== 'ok') throw new SpoolDamagedError(`the spool is damaged: ${first?.quick_check}`);
}

const SQLITE_FULL = 13;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

function sqliteCode(cause: unknown): number | undefined {
  const code = (cause as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

function isDamage(cause: unknown): boolean {
  const code = sqliteCode(cause);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB || (cause as { name?: string } | null)?.name === 'SpoolDamagedError';
}

/** The disk is full: this write is shed, the agent goes on. */
export function isDiskFull(cause: unknown): boolean {
  return sqliteCode(cause) === SQLITE_FULL;
}

export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (cause) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw cause;
  }
}

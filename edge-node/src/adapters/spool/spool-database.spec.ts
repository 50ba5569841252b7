import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { tempFolders } from '../temp-folder.spec-kit.ts';
import { SampleSpool } from './sample-spool.ts';
import { recallLimiter } from './sampling-memory.ts';
import { openSpool } from './spool-database.ts';
import { factsOf, idOf, idsIn, sample, spoolIn } from './spool.spec-kit.ts';

const folder = tempFolders();

describe('bad luck', () => {
  it('a full disk sheds the new frame, keeps the old ones, and heals', async () => {
    const { database, spool } = spoolIn(await folder(), { bytesMax: 10_000_000, itemsMax: 100 });
    spool.append(sample(1));
    const pages = Number((database.prepare('PRAGMA page_count').get() as { page_count: number }).page_count);
    database.exec(`PRAGMA max_page_count = ${pages}`);
    expect(spool.append(sample(2, 0.5, 100_000))).toBe('shed');
    expect(spool.stats()).toMatchObject({ items: 1, shed: 1 });
    database.exec('PRAGMA max_page_count = 1000000');
    expect(spool.append(sample(2, 0.5, 100_000))).toBe('kept');
  });

  it('a full disk brings back the frames that were to make room, and the frame that was shed counts once', async () => {
    const { path, database, spool } = spoolIn(await folder(), { bytesMax: 10_000_000, itemsMax: 2 });
    spool.append(sample(1, 0.1));
    spool.append(sample(2, 0.2));
    const pages = Number((database.prepare('PRAGMA page_count').get() as { page_count: number }).page_count);
    database.exec(`PRAGMA max_page_count = ${pages}`);
    expect(spool.append(sample(3, 0.9, 100_000))).toBe('shed');
    expect(idsIn(spool)).toEqual([idOf(2), idOf(1)]);
    expect(spool.stats()).toMatchObject({ items: 2, shed: 1 });
    database.exec('PRAGMA max_page_count = 1000000');
    expect(spool.append(sample(4, 0.9, 100_000))).toBe('kept');
    expect(spool.stats()).toMatchObject({ items: 2, shed: 2 });
    database.close();
    const again = new SampleSpool(openSpool(path, 0).database, { bytesMax: 10_000_000, itemsMax: 2 });
    expect(again.stats()).toMatchObject({ items: 2, shed: 2 });
  });

  it('every frame is there or counted as shed once, however often the disk is full in between', async () => {
    const path = join(await folder(), 'spool.db');
    let next = 1;
    const frame = fc.record({ value: fc.double({ min: 0, max: 1, noNaN: true }), large: fc.boolean(), full: fc.boolean() });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), (frames) => {
        const { database } = openSpool(path, 0);
        const spool = new SampleSpool(database, { bytesMax: 10_000_000, itemsMax: 4 });
        const before = spool.stats();
        for (const { value, large, full } of frames) {
          const pages = Number((database.prepare('PRAGMA page_count').get() as { page_count: number }).page_count);
          database.exec(`PRAGMA max_page_count = ${full ? pages : 1_000_000}`);
          const number = next++;
          spool.append({ ...sample(number, value, large ? 60_000 : 10), facts: factsOf(number) });
        }
        const after = spool.stats();
        expect(before.items + frames.length).toBe(after.items + (after.shed - before.shed));
        database.close();
      }),
      { numRuns: 20 },
    );
  });

  it('a torn write-ahead log loses only what was never promised', async () => {
    const { path, database, spool } = spoolIn(await folder(), { bytesMax: 1_000_000, itemsMax: 100 });
    for (let number = 1; number <= 5; number += 1) spool.append(sample(number, 0.5, 5_000));
    const wal = readFileSync(`${path}-wal`);
    const main = readFileSync(path);
    const copy = join(await folder(), 'spool.db');
    writeFileSync(copy, main);
    writeFileSync(`${copy}-wal`, wal.subarray(0, wal.length - 100));
    database.close();
    const { database: torn } = openSpool(copy, 0);
    const found = new SampleSpool(torn, { bytesMax: 1_000_000, itemsMax: 100 }).atStage('kept', 10);
    expect(found.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  });

  it('a file that is no spool is put aside, and a fresh one begins', async () => {
    const { path, database, spool } = spoolIn(await folder());
    spool.append(sample(1));
    database.close();
    truncateSync(path, statSync(path).size - 1);
    writeFileSync(path, 'this is no database at all, whatever its name says'.repeat(20));
    const opened = openSpool(path, 77);
    expect(opened).toMatchObject({ fresh: true, setAside: `${path}.damaged-77` });
    expect(new SampleSpool(opened.database, { bytesMax: 1, itemsMax: 1 }).stats().items).toBe(0);
  });

  it('a spool of a newer agent is left alone', async () => {
    const { path, database } = spoolIn(await folder());
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(() => openSpool(path, 0)).toThrow(/format 99/);
    new DatabaseSync(path).close();
  });
});

describe('a spool of an older agent', () => {
  const policy = { policyId: 'p', version: 3, rules: [], nearDuplicateBits: 4, samplesMax: 10 };
  const now = { wallMs: 2_000, monotonicMs: 1_500 };

  /** As the first agents wrote it: budgets by version of a policy. */
  async function oldSpool(): Promise<string> {
    const path = join(await folder(), 'spool.db');
    const database = new DatabaseSync(path);
    database.exec(`
      PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
      CREATE TABLE samples (sequence INTEGER PRIMARY KEY AUTOINCREMENT, sample_id TEXT NOT NULL UNIQUE, campaign_id TEXT NOT NULL,
        stage TEXT NOT NULL, value REAL NOT NULL, bytes INTEGER NOT NULL, facts TEXT NOT NULL, object TEXT,
        announcements INTEGER NOT NULL DEFAULT 0, unknown_answers INTEGER NOT NULL DEFAULT 0, picture BLOB NOT NULL);
      CREATE INDEX samples_by_stage ON samples (stage, value, sequence);
      CREATE TABLE settled (number INTEGER PRIMARY KEY AUTOINCREMENT, sample_id TEXT NOT NULL UNIQUE, outcome TEXT NOT NULL);
      CREATE TABLE kept (number INTEGER PRIMARY KEY AUTOINCREMENT, policy_id TEXT NOT NULL, version INTEGER NOT NULL, rule TEXT NOT NULL,
        at_ms INTEGER NOT NULL, dhash TEXT NOT NULL);
      CREATE TABLE budgets (policy_id TEXT NOT NULL, version INTEGER NOT NULL, kept INTEGER NOT NULL, PRIMARY KEY (policy_id, version));
      CREATE TABLE reports (sequence INTEGER PRIMARY KEY, outcome INTEGER NOT NULL, payload TEXT NOT NULL);
      CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
      INSERT INTO budgets VALUES ('p', 2, 9), ('p', 3, 4);
      INSERT INTO counters VALUES ('shed', 6);
      INSERT INTO kept (policy_id, version, rule, at_ms, dhash) VALUES ('p', 2, 'any', 900, '00'), ('p', 3, 'any', 1000, '01');
      PRAGMA user_version = 1`);
    database
      .prepare(`INSERT INTO samples (sample_id, campaign_id, stage, value, bytes, facts, picture) VALUES (?, 'base', 'kept', 0.5, 3, ?, ?)`)
      .run(idOf(1), JSON.stringify(factsOf(1)), Uint8Array.of(1, 2, 3));
    database.close();
    return path;
  }

  it('opens with all that it held, and its count goes over to the campaign of now', async () => {
    const { database, fresh, setAside } = openSpool(await oldSpool(), 0);
    expect({ fresh, setAside }).toEqual({ fresh: false, setAside: undefined });
    const spool = new SampleSpool(database, { bytesMax: 1_000, itemsMax: 100 });
    expect(spool.stats()).toEqual({ items: 1, bytes: 3, shed: 6 });
    expect(spool.atStage('kept', 9)).toMatchObject([{ facts: factsOf(1) }]);
    const base = { campaignId: 'base', policy };
    expect(recallLimiter(database, base, now)).toMatchObject({ kept: 4, recent: [{ atMs: 500 }], hashes: ['00', '01'] });
    spool.append({ ...sample(2), facts: { ...factsOf(2), why: { ...factsOf(2).why, policyVersion: 3 } } });
    expect(recallLimiter(database, base, now)).toMatchObject({ kept: 5 });
    expect(recallLimiter(database, { campaignId: 'base', policy: { ...policy, version: 4 } }, now)).toMatchObject({ kept: 5 });
    expect(recallLimiter(database, { campaignId: 'next', policy: { ...policy, version: 4 } }, now)).toMatchObject({ kept: 0 });
  });

  it('is opened once more without being changed again', async () => {
    const path = await oldSpool();
    openSpool(path, 0).database.close();
    const again = openSpool(path, 0);
    expect(again).toMatchObject({ fresh: false, setAside: undefined });
    expect(recallLimiter(again.database, { campaignId: 'base', policy }, now)).toMatchObject({ kept: 4 });
  });
});

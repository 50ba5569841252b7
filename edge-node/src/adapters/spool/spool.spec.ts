import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countKept, emptyLimiter } from '../../domain/sampling.ts';
import type { NewSample, SampleFacts } from '../../domain/spooled-sample.ts';
import type { Report } from '../../ports.ts';
import { tempFolders } from '../temp-folder.spec-kit.ts';
import { REPORTS_MAX, ReportSpool } from './report-spool.ts';
import { recallLimiter } from './sampling-memory.ts';
import { BUDGETS_MAX, SampleSpool, UNKNOWN_ANSWERS_MAX } from './sample-spool.ts';
import { SEQUENCE_BLOCK, SequenceBlocks } from './sequence-blocks.ts';
import { openSpool } from './spool-database.ts';

const folder = tempFolders();
const idOf = (number: number): string => number.toString(16).padStart(64, '0');
const OBJECT = { bucket: 'samples', key: 'n/c/x.jpg', digest: `sha256:${idOf(1)}`, bytes: 10 };

function factsOf(number: number): SampleFacts {
  return {
    sampleId: idOf(number),
    campaignId: 'base',
    capturedAt: '2026-01-01T00:00:00.000Z',
    picture: { width: 4, height: 4, brightness: 0.5, sharpness: 0.1, dhash: number.toString(16).padStart(16, '0') },
    model: null,
    why: { policyId: 'p', policyVersion: 1, rule: 'any', inclusionProbability: 0.5 },
    predictions: [],
  };
}
const sample = (number: number, value = 0.5, bytes = 10): NewSample => ({
  facts: factsOf(number),
  picture: new Uint8Array(bytes).fill(number),
  value,
  keptAtMs: 1_000 + number,
});

async function spoolOf(limits = { bytesMax: 1_000, itemsMax: 100 }) {
  const path = join(await folder(), 'spool', 'spool.db');
  const { database } = openSpool(path, 0);
  return { path, database, spool: new SampleSpool(database, limits) };
}
const idsIn = (spool: SampleSpool): string[] => spool.atStage('kept', 1_000).map(({ facts }) => facts.sampleId);

describe('the spool of samples', () => {
  it('keeps a frame with its bytes and facts across a restart', async () => {
    const { path, database, spool } = await spoolOf();
    expect(spool.append(sample(1))).toBe('kept');
    database.close();
    const again = openSpool(path, 0);
    expect(again).toMatchObject({ fresh: false, setAside: undefined });
    const reopened = new SampleSpool(again.database, { bytesMax: 1_000, itemsMax: 100 });
    expect(reopened.atStage('kept', 10)).toMatchObject([{ sequence: 1, facts: factsOf(1), object: null }]);
    expect([...(reopened.picture(idOf(1)) ?? [])]).toEqual([...new Uint8Array(10).fill(1)]);
  });

  it('takes the same picture once, also after it was settled', async () => {
    const { spool } = await spoolOf();
    spool.append(sample(1));
    expect(spool.append(sample(1))).toBe('duplicate');
    expect(spool.settle(idOf(1), 'accepted')).toBe(true);
    expect(spool.append(sample(1))).toBe('duplicate');
    expect(spool.stats()).toMatchObject({ items: 0, bytes: 0, shed: 0 });
  });

  it('lets go of what is worth least, the oldest of it first, and counts it', async () => {
    const { spool } = await spoolOf({ bytesMax: 1_000, itemsMax: 3 });
    for (const [number, value] of [
      [1, 0.5],
      [2, 0.2],
      [3, 0.2],
      [4, 0.9],
    ] as const) {
      expect(spool.append(sample(number, value))).toBe('kept');
    }
    expect(idsIn(spool)).toEqual([idOf(4), idOf(1), idOf(3)]);
    expect(spool.stats()).toMatchObject({ items: 3, shed: 1 });
  });

  it('sheds the new frame when it is worth less than all that is there', async () => {
    const { spool } = await spoolOf({ bytesMax: 1_000, itemsMax: 1 });
    spool.append(sample(1, 0.5));
    expect(spool.append(sample(2, 0.4))).toBe('shed');
    expect(spool.stats()).toMatchObject({ items: 1, shed: 1 });
  });

  it('lets nothing go when even all of it would not make room', async () => {
    const { spool } = await spoolOf({ bytesMax: 100, itemsMax: 10 });
    spool.append(sample(1, 0.1, 40));
    spool.append(sample(2, 0.9, 50));
    expect(spool.append(sample(3, 0.5, 60))).toBe('shed');
    expect(spool.stats()).toMatchObject({ items: 2, bytes: 90 });
  });

  it('never lets go of what is uploaded and waits for its receipt', async () => {
    const { spool } = await spoolOf({ bytesMax: 1_000, itemsMax: 1 });
    spool.append(sample(1, 0.1));
    spool.markStored(idOf(1), OBJECT);
    expect(spool.append(sample(2, 0.9))).toBe('shed');
    spool.markAnnounced(idOf(1));
    expect(spool.append(sample(3, 0.9))).toBe('shed');
    expect(spool.atStage('announced', 1)).toMatchObject([{ object: OBJECT, announcements: 1 }]);
  });

  it('lets go of what nobody takes before anything else, whatever it is worth', async () => {
    const { spool } = await spoolOf({ bytesMax: 1_000, itemsMax: 2 });
    spool.append(sample(1, 0.9));
    spool.append(sample(2, 0.1));
    spool.setAside(idOf(1));
    expect(spool.append(sample(3, 0.2))).toBe('kept');
    expect(idsIn(spool)).toEqual([idOf(3), idOf(2)]);
  });

  it('offers for upload what lies in its turn: none of the campaigns named, none that waits aside', async () => {
    const { spool } = await spoolOf();
    const of = (number: number, campaignId: string) => ({ ...sample(number, 1 / number), facts: { ...factsOf(number), campaignId } });
    for (const [number, campaignId] of [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
      [4, 'c'],
    ] as const)
      spool.append(of(number, campaignId));
    spool.setAside(idOf(3));
    const offered = (limit: number, without: string[]) => spool.toUpload(limit, without).map(({ facts }) => facts.sampleId);
    expect(offered(9, [])).toEqual([idOf(1), idOf(2), idOf(4)]);
    expect(offered(1, ['a', 'never'])).toEqual([idOf(2)]);
    expect(offered(9, ['a', 'b', 'c'])).toEqual([]);
    spool.takeUpAgain();
    expect(offered(9, ['a', 'b'])).toEqual([idOf(3), idOf(4)]);
  });

  it('asks for a receipt for every frame of a closed campaign, and tells again what it had told', async () => {
    const { spool } = await spoolOf();
    for (const number of [1, 2, 3]) spool.append(sample(number));
    spool.append({ ...sample(4), facts: { ...factsOf(4), campaignId: 'open' } });
    spool.setAside(idOf(3));
    spool.markStored(idOf(1), OBJECT);
    spool.markAnnounced(idOf(1));
    for (let answer = 0; answer < 2 * UNKNOWN_ANSWERS_MAX; answer += 1) {
      spool.countUnknown(idOf(1));
      spool.markAnnounced(idOf(1));
    }
    expect(idsIn(spool)).toEqual([idOf(1), idOf(2), idOf(4)]);
    spool.closeCampaign('base');
    expect(idsIn(spool)).toEqual([idOf(4)]);
    expect(spool.toAnnounce(9)).toMatchObject([{ facts: { sampleId: idOf(1) }, object: OBJECT }]);
    expect(spool.toAskFor(9)).toMatchObject([{ stage: 'unwanted', facts: { sampleId: idOf(2) } }]);
    spool.countUnknown(idOf(2));
    expect(idsIn(spool)).toEqual([idOf(2), idOf(4)]);
    expect(spool.stats()).toMatchObject({ items: 4, shed: 0 });
  });

  it('asks in turn: what was answered "unknown" comes after what was not asked for yet', async () => {
    const { spool } = await spoolOf();
    for (const number of [1, 2]) {
      spool.append(sample(number, 1 / number));
      spool.markStored(idOf(number), OBJECT);
      spool.markAnnounced(idOf(number));
    }
    expect(spool.toAskFor(1)).toMatchObject([{ facts: { sampleId: idOf(1) } }]);
    spool.countUnknown(idOf(1));
    expect(spool.toAskFor(1)).toMatchObject([{ facts: { sampleId: idOf(2) } }]);
  });

  it('moves one stage at a time and leaves only when settled', async () => {
    const { spool } = await spoolOf();
    spool.append(sample(1));
    spool.markAnnounced(idOf(1));
    expect(idsIn(spool)).toEqual([idOf(1)]);
    spool.markStored(idOf(1), OBJECT);
    spool.markAnnounced(idOf(1));
    expect(spool.atStage('announced', 9)).toHaveLength(1);
    expect(spool.settle(idOf(1), 'quarantined')).toBe(true);
    expect(spool.settle(idOf(1), 'quarantined')).toBe(false);
  });

  it('tells the collector again when it knows nothing of a sample, and later sends the object again', async () => {
    const { spool } = await spoolOf();
    spool.append(sample(1));
    spool.markStored(idOf(1), OBJECT);
    spool.markAnnounced(idOf(1));
    for (let answer = 1; answer < UNKNOWN_ANSWERS_MAX; answer += 1) spool.countUnknown(idOf(1));
    expect(spool.atStage('announced', 9)).toHaveLength(1);
    spool.countUnknown(idOf(1));
    expect(spool.atStage('stored', 9)).toMatchObject([{ announcements: 1 }]);
    spool.markAnnounced(idOf(1));
    for (let answer = 0; answer < UNKNOWN_ANSWERS_MAX; answer += 1) spool.countUnknown(idOf(1));
    expect(idsIn(spool)).toEqual([idOf(1)]);
  });

  it('holds its caps for any stream of frames, and every frame is there, settled or counted as shed', async () => {
    const action = fc.record({
      value: fc.double({ min: 0, max: 1, noNaN: true }),
      bytes: fc.integer({ min: 1, max: 120 }),
      settle: fc.boolean(),
    });
    const limits = { bytesMax: 300, itemsMax: 5 };
    const path = join(await folder(), 'spool.db');
    let next = 1;
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const { database } = openSpool(path, 0);
        const spool = new SampleSpool(database, limits);
        const before = spool.stats();
        let settled = 0;
        for (const { value, bytes, settle } of actions) {
          spool.append({ ...sample(next, value, bytes), facts: factsOf(next) });
          next += 1;
          const first = settle ? idsIn(spool)[0] : undefined;
          if (first !== undefined && spool.settle(first, 'accepted')) settled += 1;
          expect(spool.stats().items).toBeLessThanOrEqual(limits.itemsMax);
          expect(spool.stats().bytes).toBeLessThanOrEqual(limits.bytesMax);
        }
        const after = spool.stats();
        expect(before.items + actions.length).toBe(after.items + settled + (after.shed - before.shed));
        database.close();
      }),
      { numRuns: 15 },
    );
  });
});

describe('bad luck', () => {
  it('a full disk sheds the new frame, keeps the old ones, and heals', async () => {
    const { database, spool } = await spoolOf({ bytesMax: 10_000_000, itemsMax: 100 });
    spool.append(sample(1));
    const pages = Number((database.prepare('PRAGMA page_count').get() as { page_count: number }).page_count);
    database.exec(`PRAGMA max_page_count = ${pages}`);
    expect(spool.append(sample(2, 0.5, 100_000))).toBe('shed');
    expect(spool.stats()).toMatchObject({ items: 1, shed: 1 });
    database.exec('PRAGMA max_page_count = 1000000');
    expect(spool.append(sample(2, 0.5, 100_000))).toBe('kept');
  });

  it('a full disk brings back the frames that were to make room, and the frame that was shed counts once', async () => {
    const { path, database, spool } = await spoolOf({ bytesMax: 10_000_000, itemsMax: 2 });
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
    const { path, database, spool } = await spoolOf({ bytesMax: 1_000_000, itemsMax: 100 });
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
    const { path, database, spool } = await spoolOf();
    spool.append(sample(1));
    database.close();
    truncateSync(path, statSync(path).size - 1);
    writeFileSync(path, 'this is no database at all, whatever its name says'.repeat(20));
    const opened = openSpool(path, 77);
    expect(opened).toMatchObject({ fresh: true, setAside: `${path}.damaged-77` });
    expect(new SampleSpool(opened.database, { bytesMax: 1, itemsMax: 1 }).stats().items).toBe(0);
  });

  it('a spool of a newer agent is left alone', async () => {
    const { path, database } = await spoolOf();
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(() => openSpool(path, 0)).toThrow(/format 99/);
    new DatabaseSync(path).close();
  });
});

describe('what is remembered of a campaign', () => {
  const policy = { policyId: 'p', version: 1, rules: [], nearDuplicateBits: 4, samplesMax: 10 };
  const base = { campaignId: 'base', policy };

  it('survives a restart: budget, rates and pictures', async () => {
    const { database, spool } = await spoolOf();
    let expected = emptyLimiter(base);
    for (const number of [1, 2]) {
      spool.append(sample(number));
      expected = countKept(expected, { rule: 'any', atMs: 500 + number, dhash: factsOf(number).picture.dhash });
    }
    const recalled = recallLimiter(database, base, { wallMs: 2_000, monotonicMs: 1_500 });
    expect(recalled).toEqual(expected);
    expect(recallLimiter(database, base, { wallMs: 100_000, monotonicMs: 0 })).toMatchObject({ kept: 2, recent: [] });
  });

  it('survives a new version of its policy; another campaign starts anew', async () => {
    const { database, spool } = await spoolOf();
    spool.append(sample(1));
    const now = { wallMs: 2_000, monotonicMs: 1_500 };
    const anew = { ...policy, version: 2 };
    expect(recallLimiter(database, { campaignId: 'base', policy: anew }, now)).toMatchObject({ version: 2, kept: 1, recent: [{}] });
    spool.append({ ...sample(2), facts: { ...factsOf(2), why: { ...factsOf(2).why, policyVersion: 2 } } });
    expect(recallLimiter(database, { campaignId: 'base', policy: anew }, now)).toMatchObject({ kept: 2 });
    expect(recallLimiter(database, { campaignId: 'other', policy: anew }, now)).toMatchObject({ kept: 0, recent: [], hashes: [{}, {}] });
  });

  it('is bounded: the campaign that was kept for longest ago is forgotten', async () => {
    const { database, spool } = await spoolOf();
    database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${BUDGETS_MAX})
      INSERT INTO budgets (campaign_id, kept, touched) SELECT 'old-' || i, 7, i - ${BUDGETS_MAX} FROM n`);
    spool.append(sample(1));
    const keptFor = (campaignId: string) => recallLimiter(database, { campaignId, policy }, { wallMs: 0, monotonicMs: 0 }).kept;
    expect([keptFor('old-1'), keptFor('old-2'), keptFor('base')]).toEqual([0, 7, 1]);
  });

  it('counts the frames of a campaign that wait for their upload', async () => {
    const { spool } = await spoolOf();
    for (const number of [1, 2, 3]) spool.append(sample(number));
    spool.markStored(idOf(1), OBJECT);
    expect([spool.waiting('base'), spool.waiting('other')]).toEqual([2, 0]);
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

describe('the spool of reports', () => {
  const report = (sequence: number, outcome: Report['outcome'] = null): Report => ({
    nodeId: 'node-1',
    epoch: 'epoch-12345',
    sequence,
    at: '2026-01-01T00:00:00.000Z',
    generation: 1,
    rolloutId: null,
    releaseId: 'm-v1',
    phase: 'idle',
    outcome,
    reason: null,
    detail: null,
    running: null,
  });

  it('keeps them in order until they are forgotten, each once', async () => {
    const { database } = await spoolOf();
    const reports = new ReportSpool(database);
    reports.put([report(2), report(1)]);
    reports.put([report(2, 'failed')]);
    expect(reports.pending(10)).toEqual([report(1), report(2)]);
    reports.forget(1);
    expect(reports.pending(10)).toEqual([report(2)]);
  });

  it('lets progress go before outcomes when the bus is away for very long', async () => {
    const { database } = await spoolOf();
    const reports = new ReportSpool(database);
    reports.put([report(0, 'committed')]);
    reports.put(Array.from({ length: REPORTS_MAX }, (_, index) => report(index + 1)));
    const left = reports.pending(REPORTS_MAX * 2);
    expect(left).toHaveLength(REPORTS_MAX);
    expect(left[0]).toMatchObject({ sequence: 0, outcome: 'committed' });
    expect(left[1]).toMatchObject({ sequence: 2 });
  });
});

describe('sequence numbers from blocks', () => {
  it('grow, and never repeat across a restart', async () => {
    const { database } = await spoolOf();
    const first = new SequenceBlocks(database, 'telemetry');
    expect([first.next(), first.next()]).toEqual([0, 1]);
    expect(new SequenceBlocks(database, 'telemetry').next()).toBe(SEQUENCE_BLOCK);
    expect(new SequenceBlocks(database, 'heartbeat').next()).toBe(0);
  });
});

import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { ObjectRef } from '@edgeloop/contracts';
import type { Appended, NewSample, SampleFacts, SampleStage, Settlement, SpooledSample } from '../../domain/spooled-sample.ts';
import type { ReceiptQueue, SampleKeeper, UploadQueue } from '../../ports.ts';
import { isDiskFull, transaction } from './spool-database.ts';

export interface SpoolLimits {
  /** Of pictures, together. */
  readonly bytesMax: number;
  readonly itemsMax: number;
}

/** Sample ids that were settled, kept so that the same picture is not sent again. */
export const SETTLED_MAX = 100_000;
/** Kept frames that limits and near-duplicate checks look back on after a restart. */
export const KEPT_MAX = 1_024;
/** Campaigns whose budgets are remembered; the one that was kept for longest ago goes. */
export const BUDGETS_MAX = 1_000;
/** Answers of "unknown" after which the manifest is sent again, and after twice as many the object too. */
export const UNKNOWN_ANSWERS_MAX = 5;

/**
 * Kept frames until the collector has a receipt for them. `append` returning `kept` is a promise: the frame leaves only by a receipt,
 * or by being worth less than what needs its place (then it is counted as shed).
 */
export class SampleSpool implements SampleKeeper, UploadQueue, ReceiptQueue {
  readonly #database: DatabaseSync;
  readonly #limits: SpoolLimits;
  /** Frames let go of, as the disk has it. */
  #shedStored: number;
  /** Let go of while the disk was full; stored with the next frame that it takes. */
  #shedUnstored = 0;

  constructor(database: DatabaseSync, limits: SpoolLimits) {
    this.#database = database;
    this.#limits = limits;
    this.#shedStored = this.#number(`SELECT value FROM counters WHERE name = 'shed'`);
  }

  append(sample: NewSample): Appended {
    try {
      const { appended, shedTotal } = transaction(this.#database, () => this.#append(sample));
      // Only what was committed counts: after a rollback the frames are there again.
      this.#shedStored = shedTotal;
      this.#shedUnstored = 0;
      return appended;
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      this.#shedUnstored += 1;
      return 'shed';
    }
  }

  stats(): { items: number; bytes: number; shed: number } {
    const row = this.#database.prepare('SELECT count(*) AS items, coalesce(sum(bytes), 0) AS bytes FROM samples').get();
    return { items: Number(row?.['items']), bytes: Number(row?.['bytes']), shed: this.#shedStored + this.#shedUnstored };
  }

  waiting(campaignId: string): number {
    return this.#number(`SELECT count(*) FROM samples WHERE campaign_id = ? AND stage = 'kept' AND announcements = 0`, campaignId);
  }

  /** The most valuable first. */
  atStage(stage: SampleStage, limit: number): SpooledSample[] {
    return this.#select('stage = ? ORDER BY value DESC, sequence LIMIT ?', stage, limit);
  }

  toUpload(limit: number, without: readonly string[]): SpooledSample[] {
    return this.#select(
      `stage = 'kept' AND campaign_id NOT IN (SELECT value FROM json_each(?)) ORDER BY value DESC, sequence LIMIT ?`,
      JSON.stringify(without),
      limit,
    );
  }

  toAnnounce(limit: number): SpooledSample[] {
    return this.atStage('stored', limit);
  }

  toAskFor(limit: number): SpooledSample[] {
    return this.#select(`stage IN ('announced', 'unwanted') ORDER BY unknown_answers, value DESC, sequence LIMIT ?`, limit);
  }

  picture(sampleId: string): Uint8Array | undefined {
    const row = this.#database.prepare('SELECT picture FROM samples WHERE sample_id = ?').get(sampleId);
    return row === undefined ? undefined : (row['picture'] as Uint8Array);
  }

  markStored(sampleId: string, object: ObjectRef): void {
    this.#run(`UPDATE samples SET stage = 'stored', object = ? WHERE sample_id = ? AND stage = 'kept'`, JSON.stringify(object), sampleId);
  }

  markAnnounced(sampleId: string): void {
    this.#run(
      `UPDATE samples SET stage = 'announced', announcements = announcements + 1 WHERE sample_id = ? AND stage = 'stored'`,
      sampleId,
    );
  }

  setAside(sampleId: string): void {
    this.#run(`UPDATE samples SET stage = 'refused' WHERE sample_id = ? AND stage IN ('kept', 'stored')`, sampleId);
  }

  takeUpAgain(): void {
    this.#run(`UPDATE samples SET stage = 'kept' WHERE stage = 'refused'`);
  }

  closeCampaign(campaignId: string): void {
    this.#run(
      `UPDATE samples SET stage = CASE WHEN object IS NULL THEN 'unwanted' ELSE 'stored' END WHERE stage = 'kept' AND campaign_id = ?`,
      campaignId,
    );
  }

  countUnknown(sampleId: string): void {
    this.#run(
      `UPDATE samples SET unknown_answers = unknown_answers + 1,
         stage = CASE WHEN stage = 'unwanted' THEN 'kept'
                      WHEN (unknown_answers + 1) % ${UNKNOWN_ANSWERS_MAX} <> 0 THEN stage
                      WHEN (unknown_answers + 1) % ${2 * UNKNOWN_ANSWERS_MAX} = 0 THEN 'kept' ELSE 'stored' END
       WHERE sample_id = ? AND stage IN ('announced', 'unwanted')`,
      sampleId,
    );
  }

  /** The one way out for a frame that was not let go of. */
  settle(sampleId: string, outcome: Settlement): boolean {
    return transaction(this.#database, () => {
      const { changes } = this.#run('DELETE FROM samples WHERE sample_id = ?', sampleId);
      if (Number(changes) === 0) return false;
      this.#run('INSERT OR IGNORE INTO settled (sample_id, outcome) VALUES (?, ?)', sampleId, outcome);
      this.#run('DELETE FROM settled WHERE number <= (SELECT max(number) FROM settled) - ?', SETTLED_MAX);
      this.#database.exec('PRAGMA incremental_vacuum(256)');
      return true;
    });
  }

  #append(sample: NewSample): { appended: Appended; shedTotal: number } {
    if (this.#isKnown(sample.facts.sampleId)) return { appended: 'duplicate', shedTotal: this.#storeShed(0) };
    const evicted = this.#makeRoom(sample);
    if (evicted === undefined) return { appended: 'shed', shedTotal: this.#storeShed(1) };
    this.#insert(sample);
    this.#remember(sample);
    return { appended: 'kept', shedTotal: this.#storeShed(evicted) };
  }

  #isKnown(sampleId: string): boolean {
    const settled = this.#number('SELECT count(*) FROM settled WHERE sample_id = ?', sampleId);
    return settled > 0 || this.#number('SELECT count(*) FROM samples WHERE sample_id = ?', sampleId) > 0;
  }

  #insert({ facts, value, picture }: NewSample): void {
    this.#run(
      `INSERT INTO samples (sample_id, campaign_id, stage, value, bytes, facts, picture) VALUES (?, ?, 'kept', ?, ?, ?, ?)`,
      facts.sampleId,
      facts.campaignId,
      value,
      picture.length,
      JSON.stringify(facts),
      picture,
    );
  }

  /**
   * Lets go of frames that were not uploaded yet, and only if that is enough; how many went, if so. First what nobody takes, then what is
   * worth less, or as much and older.
   */
  #makeRoom({ picture, value }: NewSample): number | undefined {
    const { items, bytes } = this.stats();
    let itemsOver = items + 1 - this.#limits.itemsMax;
    let bytesOver = bytes + picture.length - this.#limits.bytesMax;
    const victims: number[] = [];
    const candidates = this.#database
      .prepare(
        `SELECT sequence, bytes FROM samples WHERE stage IN ('refused', 'unwanted') OR (stage = 'kept' AND value <= ?)
         ORDER BY stage = 'kept', value, sequence`,
      )
      .iterate(value);
    for (const row of itemsOver > 0 || bytesOver > 0 ? candidates : []) {
      if (itemsOver <= 0 && bytesOver <= 0) break;
      victims.push(Number(row['sequence']));
      itemsOver -= 1;
      bytesOver -= Number(row['bytes']);
    }
    if (itemsOver > 0 || bytesOver > 0) return undefined;
    for (const sequence of victims) this.#run('DELETE FROM samples WHERE sequence = ?', sequence);
    return victims.length;
  }

  /** Within the transaction of what it counts; returns the total that this transaction commits. */
  #storeShed(count: number): number {
    const total = this.#shedStored + this.#shedUnstored + count;
    if (total === this.#shedStored) return total;
    this.#run(`INSERT INTO counters (name, value) VALUES ('shed', ?) ON CONFLICT DO UPDATE SET value = excluded.value`, total);
    return total;
  }

  #remember({ facts, keptAtMs }: NewSample): void {
    const { campaignId } = facts;
    const { policyId, policyVersion, rule } = facts.why;
    this.#run(
      'INSERT INTO kept (campaign_id, policy_id, version, rule, at_ms, dhash) VALUES (?, ?, ?, ?, ?, ?)',
      campaignId,
      policyId,
      policyVersion,
      rule,
      Math.round(keptAtMs),
      facts.picture.dhash,
    );
    this.#run('DELETE FROM kept WHERE number <= (SELECT max(number) FROM kept) - ?', KEPT_MAX);
    this.#run(
      `INSERT INTO budgets (campaign_id, kept, touched)
         VALUES (?, 1 + coalesce((SELECT kept FROM version_budgets WHERE policy_id = ? AND version = ?), 0), (SELECT max(number) FROM kept))
         ON CONFLICT DO UPDATE SET kept = kept + 1, touched = excluded.touched`,
      campaignId,
      policyId,
      policyVersion,
    );
    this.#run('DELETE FROM budgets WHERE touched < (SELECT touched FROM budgets ORDER BY touched DESC LIMIT 1 OFFSET ?)', BUDGETS_MAX - 1);
  }

  #select(where: string, ...values: SQLInputValue[]): SpooledSample[] {
    const rows = this.#database.prepare(`SELECT sequence, stage, facts, object, announcements FROM samples WHERE ${where}`).all(...values);
    return rows.map((row) => ({
      sequence: Number(row['sequence']),
      stage: row['stage'] as SampleStage,
      facts: JSON.parse(String(row['facts'])) as SampleFacts,
      object: row['object'] === null ? null : (JSON.parse(String(row['object'])) as ObjectRef),
      announcements: Number(row['announcements']),
    }));
  }

  #run(sql: string, ...values: SQLInputValue[]): { changes: number | bigint } {
    return this.#database.prepare(sql).run(...values);
  }

  #number(sql: string, ...values: SQLInputValue[]): number {
    const row = this.#database.prepare(sql).get(...values);
    return row === undefined ? 0 : Number(Object.values(row)[0]);
  }
}

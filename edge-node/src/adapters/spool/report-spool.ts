import type { DatabaseSync } from 'node:sqlite';
import type { Report, ReportQueue } from '../../ports.ts';
import { transaction } from './spool-database.ts';

/** Reports kept while the bus is away. Progress makes room first, the oldest of it; outcomes only for newer outcomes. */
export const REPORTS_MAX = 1_000;

/** Reports until the bus has acknowledged them. Putting one again changes nothing: its sequence is its identity. */
export class ReportSpool implements ReportQueue {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  put(reports: readonly Report[]): void {
    if (reports.length === 0) return;
    transaction(this.#database, () => {
      const insert = this.#database.prepare('INSERT OR IGNORE INTO reports (sequence, outcome, payload) VALUES (?, ?, ?)');
      for (const report of reports) insert.run(report.sequence, report.outcome === null ? 0 : 1, JSON.stringify(report));
      const { over } = this.#database.prepare('SELECT count(*) - ? AS over FROM reports').get(REPORTS_MAX) as { over: number };
      if (over <= 0) return;
      this.#database
        .prepare('DELETE FROM reports WHERE sequence IN (SELECT sequence FROM reports ORDER BY outcome, sequence LIMIT ?)')
        .run(over);
    });
  }

  pending(limit: number): Report[] {
    const rows = this.#database.prepare('SELECT payload FROM reports ORDER BY sequence LIMIT ?').all(limit);
    return rows.map((row) => JSON.parse(String(row['payload'])) as Report);
  }

  forget(sequence: number): void {
    this.#database.prepare('DELETE FROM reports WHERE sequence = ?').run(sequence);
  }
}

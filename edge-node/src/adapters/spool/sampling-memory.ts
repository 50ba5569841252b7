import type { DatabaseSync } from 'node:sqlite';
import { HASHES_MAX, RATE_WINDOW_MS } from '../../domain/sampling.ts';
import type { Collecting, LimiterState } from '../../domain/sampling.ts';

interface Clocks {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** What the spool remembers of a campaign's limits: a restart is no way around them. */
export function recallLimiter(database: DatabaseSync, { campaignId, policy }: Collecting, now: Clocks): LimiterState {
  const { policyId, version } = policy;
  const rows = database
    .prepare(
      `SELECT campaign_id = ? OR (campaign_id = '' AND version = ?) AS own, rule, at_ms, dhash FROM kept
       WHERE campaign_id = ? OR policy_id = ? ORDER BY number DESC LIMIT ?`,
    )
    .all(campaignId, version, campaignId, policyId, HASHES_MAX)
    .toReversed();
  const recent = rows
    .filter((row) => Number(row['own']) === 1)
    .map((row) => ({ rule: String(row['rule']), ageMs: Math.max(0, now.wallMs - Number(row['at_ms'])) }))
    .filter(({ ageMs }) => ageMs < RATE_WINDOW_MS)
    .map(({ rule, ageMs }) => ({ rule, atMs: now.monotonicMs - ageMs }));
  const hashes = rows.map((row) => String(row['dhash']));
  return { campaignId, policyId, version, kept: keptFor(database, { campaignId, policy }), recent, hashes };
}

/** A spool of an agent that counted per version of a policy: its count goes over to the campaign that has the version now. */
function keptFor(database: DatabaseSync, { campaignId, policy }: Collecting): number {
  const row =
    database.prepare('SELECT kept FROM budgets WHERE campaign_id = ?').get(campaignId) ??
    database.prepare('SELECT kept FROM version_budgets WHERE policy_id = ? AND version = ?').get(policy.policyId, policy.version);
  return Number(row?.['kept'] ?? 0);
}

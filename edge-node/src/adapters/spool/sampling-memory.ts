import type { DatabaseSync } from 'node:sqlite';
import type { SamplingPolicy } from '@edgeloop/contracts';
import { HASHES_MAX, RATE_WINDOW_MS } from '../../domain/sampling.ts';
import type { LimiterState } from '../../domain/sampling.ts';

interface Clocks {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** What the spool remembers of a policy's limits: a restart is no way around them. */
export function recallLimiter(database: DatabaseSync, policy: SamplingPolicy, now: Clocks): LimiterState {
  const { policyId, version } = policy;
  const budget = database.prepare('SELECT kept FROM budgets WHERE policy_id = ? AND version = ?').get(policyId, version);
  const rows = database
    .prepare('SELECT version, rule, at_ms, dhash FROM kept WHERE policy_id = ? ORDER BY number DESC LIMIT ?')
    .all(policyId, HASHES_MAX)
    .toReversed();
  const recent = rows
    .filter((row) => Number(row['version']) === version)
    .map((row) => ({ rule: String(row['rule']), ageMs: Math.max(0, now.wallMs - Number(row['at_ms'])) }))
    .filter(({ ageMs }) => ageMs < RATE_WINDOW_MS)
    .map(({ rule, ageMs }) => ({ rule, atMs: now.monotonicMs - ageMs }));
  return { policyId, version, kept: Number(budget?.['kept'] ?? 0), recent, hashes: rows.map((row) => String(row['dhash'])) };
}

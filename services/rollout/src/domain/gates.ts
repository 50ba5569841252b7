import type { RolloutStrategy } from '@edgeloop/contracts';
import type { Rollout } from './rollout.ts';

export interface WaveCount {
  readonly offered: number;
  readonly running: number;
  readonly proved: number;
  readonly failed: number;
  readonly pending: number;
}

export function countWave(rollout: Rollout, wave: number): WaveCount {
  const all = (rollout.waves[wave] ?? []).map((nodeId) => rollout.nodes[nodeId]?.progress);
  const count = (at: string): number => all.filter((progress) => progress?.at === at).length;
  const offered = all.length - count('planned');
  return {
    offered,
    running: count('running'),
    proved: all.filter((progress) => progress?.at === 'running' && progress.proved).length,
    failed: count('failed'),
    pending: all.length - count('running') - count('failed'),
  };
}

/** Failures pass the percentage (not when they equal it) and reach the minimum count. Nobody offered: nothing failed. */
export function abortRuleBroken(rule: RolloutStrategy['abort'], failed: number, offered: number): boolean {
  return offered > 0 && failed >= rule.failedCountMin && (failed / offered) * 100 > rule.failedPercent;
}

export type WaveVerdict =
  { readonly kind: 'wait' } | { readonly kind: 'passed' } | { readonly kind: 'broken'; readonly wave: number; readonly reason: string };

function failureKinds(rollout: Rollout, wave: number): string {
  const kinds = new Map<string, number>();
  for (const nodeId of rollout.waves[wave] ?? []) {
    const progress = rollout.nodes[nodeId]?.progress;
    if (progress?.at === 'failed') kinds.set(progress.reason, (kinds.get(progress.reason) ?? 0) + 1);
  }
  return [...kinds].map(([reason, count]) => `${reason} x${count}`).join(', ');
}

/** First offered wave whose failures break the abort rule; earlier waves are watched until the end. */
function brokenWave(rollout: Rollout): WaveVerdict | undefined {
  const { abort } = rollout.strategy;
  for (let wave = 0; wave <= rollout.wave; wave++) {
    const { failed, offered } = countWave(rollout, wave);
    if (!abortRuleBroken(abort, failed, offered)) continue;
    const limits = `more than ${abort.failedPercent} % and at least ${abort.failedCountMin}`;
    return {
      kind: 'broken',
      wave,
      reason: `${failed} of ${offered} nodes of wave ${wave + 1} failed (${failureKinds(rollout, wave)}): ${limits}`,
    };
  }
  return undefined;
}

/** May the next wave start? Failures are weighed first; a wave in which nobody proved the release proves nothing. */
export function judgeWave(rollout: Rollout): WaveVerdict {
  const broken = brokenWave(rollout);
  if (broken !== undefined) return broken;
  const { offered, proved, failed } = countWave(rollout, rollout.wave);
  if (proved + failed < offered) return { kind: 'wait' };
  if (proved > 0) return { kind: 'passed' };
  return {
    kind: 'broken',
    wave: rollout.wave,
    reason: `no node of wave ${rollout.wave + 1} proved the release (${failureKinds(rollout, rollout.wave)})`,
  };
}

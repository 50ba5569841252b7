import { z } from 'zod';
import type { DriftLimits } from './domain/node-field.ts';

/** Defaults suit windows of a few seconds: half a minute of baseline, some ten seconds until drift is said. */
export const EvidenceConfig = z.object({
  EVIDENCE_BASELINE_WINDOWS: z.coerce.number().int().min(2).max(100_000).default(10),
  EVIDENCE_RECENT_WINDOWS: z.coerce.number().int().min(1).max(1_000).default(3),
  EVIDENCE_CONSECUTIVE: z.coerce.number().int().min(1).max(1_000).default(3),
  EVIDENCE_LEAVE_SPREADS: z.coerce.number().positive().default(4),
  EVIDENCE_RETURN_SPREADS: z.coerce.number().positive().default(2),
});
export type EvidenceConfig = z.output<typeof EvidenceConfig>;

export class ContradictoryLimitsError extends Error {
  override readonly name = 'ContradictoryLimitsError';
  readonly retryable = false;
  constructor(leave: number, back: number) {
    super(`EVIDENCE_RETURN_SPREADS (${back}) must be below EVIDENCE_LEAVE_SPREADS (${leave}), or nodes drift and settle at once`);
  }
}

/** @throws ContradictoryLimitsError */
export function driftLimits(config: EvidenceConfig): DriftLimits {
  const { EVIDENCE_LEAVE_SPREADS: leaveSpreads, EVIDENCE_RETURN_SPREADS: returnSpreads } = config;
  if (returnSpreads >= leaveSpreads) throw new ContradictoryLimitsError(leaveSpreads, returnSpreads);
  return {
    baselineWindows: config.EVIDENCE_BASELINE_WINDOWS,
    recentWindows: config.EVIDENCE_RECENT_WINDOWS,
    consecutive: config.EVIDENCE_CONSECUTIVE,
    leaveSpreads,
    returnSpreads,
  };
}

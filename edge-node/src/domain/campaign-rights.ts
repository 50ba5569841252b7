import { SAMPLES_PER_GRANT_MAX } from '@edgeloop/contracts';

/** Why there are no upload rights; `unusable`: the answer was not for this node, or could not be read. */
export type NoRights = 'campaign-closed' | 'budget-spent' | 'node-unknown' | 'not-ready' | 'unusable';

/** What the collector has last said about one campaign. */
export interface CampaignRights {
  /** Samples that it still takes from this node; null while it names no end. */
  readonly left: number | null;
  readonly refusal: { readonly reason: NoRights; readonly askAgainAtMs: number } | null;
}

export const NOTHING_SAID: CampaignRights = { left: null, refusal: null };

/** Between two questions about one campaign, whatever the answer says. */
export const ASK_PAUSE_MIN_MS = 1_000;

export function granted(samplesLeft: number): CampaignRights {
  return { left: samplesLeft >= SAMPLES_PER_GRANT_MAX ? null : samplesLeft, refusal: null };
}

/** A spent budget stays spent until the campaign is announced anew; the other reasons may pass. */
export function refused(rights: CampaignRights, reason: NoRights, until: { nowMs: number; retryAfterMs: number }): CampaignRights {
  const askAgainAtMs = until.nowMs + Math.max(ASK_PAUSE_MIN_MS, until.retryAfterMs);
  return { left: reason === 'budget-spent' ? 0 : rights.left, refusal: { reason, askAgainAtMs } };
}

/** One sample is in the store. */
export function spent(rights: CampaignRights): CampaignRights {
  return rights.left === null ? rights : { ...rights, left: Math.max(0, rights.left - 1) };
}

export function isRefused({ refusal }: CampaignRights, nowMs: number): boolean {
  return refusal !== null && nowMs < refusal.askAgainAtMs;
}

/** Null while the collector names no end. */
export function samplesLeft(rights: CampaignRights, nowMs: number): number | null {
  const unwanted = rights.refusal?.reason === 'campaign-closed' || rights.refusal?.reason === 'node-unknown';
  return unwanted && isRefused(rights, nowMs) ? 0 : rights.left;
}

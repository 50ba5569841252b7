/** How long to wait before a program that died is started again. */
export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Who lived this long starts again from `firstMs`. */
  readonly steadyMs: number;
}

export const DEFAULT_BACKOFF: BackoffLimits = { firstMs: 200, maxMs: 5_000, steadyMs: 30_000 };

/** Doubles with every death in a row (`deaths` >= 1), up to the cap. */
export function backoffMs(deaths: number, limits: BackoffLimits = DEFAULT_BACKOFF): number {
  return Math.min(limits.firstMs * 2 ** Math.max(0, deaths - 1), limits.maxMs);
}

/** Deaths in a row, this one included: a long life forgives the earlier ones. */
export function deathsInARow(before: number, livedMs: number, limits: BackoffLimits = DEFAULT_BACKOFF): number {
  return livedMs >= limits.steadyMs ? 1 : before + 1;
}

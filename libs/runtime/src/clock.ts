/** Time as an input. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

/**
 * Seeded chance. The same words give the same numbers in every process and on every machine,
 * which is what lets one process draw a scene and another recompute its truth.
 */
export interface Chance {
  /** Uniform in [0, 1). */
  unit(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** Uniform integer in [low, high], both ends included. */
  int(low: number, high: number): number;
  /** One element; the list must not be empty. */
  pick<T>(list: readonly T[]): T;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** 32-bit hash of the parts: FNV-1a, then an avalanche so that neighbouring ticks share nothing. */
export function hashOf(...parts: readonly (string | number)[]): number {
  let hash = FNV_OFFSET;
  for (const part of parts) {
    for (const char of `${part}|`) hash = Math.imul(hash ^ char.codePointAt(0)!, FNV_PRIME);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A stream of chance (mulberry32) started by the parts. */
export function chanceOf(...parts: readonly (string | number)[]): Chance {
  let state = hashOf(...parts);
  const unit = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    unit,
    between: (low, high) => low + (high - low) * unit(),
    int: (low, high) => low + Math.floor((high - low + 1) * unit()),
    pick: (list) => list[Math.floor(unit() * list.length)]!,
  };
}

/** One standard normal draw (Box-Muller). */
export function normalOf(chance: Chance): number {
  const radius = Math.sqrt(-2 * Math.log(1 - chance.unit()));
  return radius * Math.cos(2 * Math.PI * chance.unit());
}

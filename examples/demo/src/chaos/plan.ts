/** Moments of a turn at which something may be killed, in the order in which they come. */
export const MOMENTS = [
  'day',
  'campaign',
  'samples',
  'labeling',
  'pre-process',
  'train',
  'evaluate',
  'package',
  'publish',
  'wave-1',
  'wave-2',
] as const;
export type Moment = (typeof MOMENTS)[number];

export interface Strike {
  readonly victim: string;
  readonly moment: Moment;
  /** Waits this long into the moment. */
  readonly afterMs: number;
}

const DELAY_MAX_MS = 1_500;
/** What is done in a second or two must be struck at once, or it is done. */
const SHORT_DELAY_MAX_MS = 500;
const SHORT: readonly Moment[] = ['samples', 'package', 'publish'];

/** Deterministic numbers in [0,1): mulberry32. */
export function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<T>(items: readonly T[], chance: () => number): T[] {
  return items
    .map((item) => ({ item, order: chance() }))
    .sort((left, right) => left.order - right.order)
    .map(({ item }) => item);
}

/** Moments at which a victim has work in its hands, so that killing it bites; anything not named: any moment. */
const AT_WORK: Readonly<Record<string, readonly Moment[]>> = {
  trainer: ['pre-process', 'train', 'evaluate'],
  packager: ['package'],
  publisher: ['publish'],
  collector: ['samples'],
  'labeling-bridge': ['samples', 'labeling'],
  rollout: ['wave-1', 'wave-2'],
  fleet: ['wave-1', 'wave-2'],
  evidence: ['day', 'campaign'],
};

/** Every victim once; the same seed strikes the same victims at the same moments. */
export function planChaos(victims: readonly string[], seed: number): readonly Strike[] {
  const chance = chanceOf(seed);
  return shuffled(victims, chance).map((victim) => {
    const moments = AT_WORK[victim] ?? MOMENTS;
    const moment = moments[Math.floor(chance() * moments.length)] as Moment;
    return { victim, moment, afterMs: Math.floor(chance() * (SHORT.includes(moment) ? SHORT_DELAY_MAX_MS : DELAY_MAX_MS)) };
  });
}

import type { SamplingRule } from '@edgeloop/contracts';

/**
 * What a kept frame is worth when the spool must let some go; higher stays. The random slice stays longest: it is the only unbiased view of the
 * field. Then what the model was unsure of, the more so the fewer frames stand for it.
 */
export function sampleValue(kind: SamplingRule['kind'], inclusionProbability: number): number {
  const rarity = (1 - inclusionProbability) * 0.1;
  switch (kind) {
    case 'random':
      return 0.8 + rarity;
    case 'uncertain':
      return 0.6 + rarity;
    case 'dark':
      return 0.4 + rarity;
    case 'empty':
      return 0.2 + rarity;
    default:
      return kind satisfies never;
  }
}

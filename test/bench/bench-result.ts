/** Over the rounds of one measurement. */
export interface Spread {
  readonly median: number;
  readonly min: number;
}

/** One line of the benchmark's table. */
export interface BenchResult {
  readonly name: string;
  /** This side against the reference, both in one run, alternated; per round. */
  readonly ratio?: Spread;
  readonly value?: Spread & { readonly unit: string };
  /** What it must reach, for example `>= 0.90`. */
  readonly bar: string;
  /** How to measure it again. */
  readonly command: string;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)]!, min: sorted[0]! };
}

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchResult, Spread } from './bench-result.ts';

/** Each measures both of its sides in one run, alternated; none of them asserts anything. */
const BENCHES: Readonly<Record<string, () => Promise<BenchResult[]>>> = {
  vision: async () => (await import('./vision.bench.ts')).benchVision(),
  nest: async () => (await import('./nest.bench.ts')).benchNest(),
  memory: async () => (await import('./memory.bench.ts')).benchMemory(),
};

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const RESULTS = join(ROOT, 'bench', 'results.json');

function shown({ median, min }: Spread, unit: string): string {
  return `median ${median.toPrecision(3)}${unit}, min ${min.toPrecision(3)}${unit}`;
}

function line({ name, ratio, value, bar }: BenchResult): string {
  const measured = [...(ratio ? [shown(ratio, '')] : []), ...(value ? [shown(value, ` ${value.unit}`)] : [])].join('; ');
  return `${name}\n    ${measured}   (bar ${bar})`;
}

/** Results of benchmarks that were not run now stay as they are. */
async function merged(fresh: readonly BenchResult[]): Promise<readonly BenchResult[]> {
  const text = await readFile(RESULTS, 'utf8').catch(() => '{"results":[]}');
  const { results } = JSON.parse(text) as { results: BenchResult[] };
  return [...results.filter((old) => !fresh.some((each) => each.name === old.name)), ...fresh];
}

async function main(chosen: readonly string[]): Promise<void> {
  const unknown = chosen.filter((name) => !(name in BENCHES));
  if (unknown.length > 0)
    throw new TypeError(`there is no benchmark ${unknown.join(', ')}: choose from ${Object.keys(BENCHES).join(', ')}`);
  const names = chosen.length > 0 ? chosen : Object.keys(BENCHES);
  const results: BenchResult[] = [];
  for (const name of names) {
    process.stderr.write(`measuring ${name} …\n`);
    for (const result of (await BENCHES[name]?.()) ?? []) {
      results.push(result);
      process.stdout.write(`${line(result)}\n`);
    }
  }
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    measuredAt: new Date().toISOString(),
  };
  await mkdir(dirname(RESULTS), { recursive: true });
  await writeFile(RESULTS, `${JSON.stringify({ machine, results: await merged(results) }, null, 2)}\n`);
  process.stderr.write(`written to bench/results.json\n`);
}

try {
  await main(process.argv.slice(2));
} catch (cause) {
  process.stderr.write(`bench: ${cause instanceof Error ? cause.message : String(cause)}\n`);
  process.exitCode = 1;
}

import Table from 'cli-table3';
import pc from 'picocolors';

export interface Shown<T> {
  readonly value: T;
  readonly text: string;
}

/** JSON for programs, text for people. */
export function show<T>(options: { json?: boolean }, { value, text }: Shown<T>): void {
  process.stdout.write(`${options.json ? JSON.stringify(value, null, 2) : text}\n`);
}

export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[], whenEmpty: string): string {
  if (rows.length === 0) return whenEmpty;
  const drawn = new Table({ head: head.map((name) => pc.bold(name)), style: { head: [], border: [] } });
  for (const row of rows) drawn.push(row.map(String));
  return drawn.toString();
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** `3 m ago`; `-` for never. */
export function ago(iso: string | null, nowMs: number): string {
  if (iso === null) return '-';
  const passed = Math.max(0, nowMs - Date.parse(iso));
  const [unit, size] = UNITS.find(([, ms]) => passed >= ms) ?? ['s', 1_000];
  return `${Math.floor(passed / size)} ${unit} ago`;
}

/** Wrong usage in one line: commander's own words without its prefix and line ends. */
export function usageErrorLine(text: string): string {
  const words = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
  return `edgeloop: ${words}`;
}

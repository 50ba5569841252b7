export type MetadataValue = number | string | boolean | null;

/** A line longer than this is log text, whatever it holds. */
export const METADATA_LINE_MAX = 8_192;
const KEYS_MAX = 50;

/** A stdout line that is exactly one JSON object is execution metadata (Valohai's rule); nested values are left out. */
export function metadataOf(line: string): Record<string, MetadataValue> | undefined {
  const text = line.trim();
  if (text.length > METADATA_LINE_MAX || !text.startsWith('{') || !text.endsWith('}')) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const flat = Object.entries(parsed).filter(
    (entry): entry is [string, MetadataValue] => entry[1] === null || ['number', 'string', 'boolean'].includes(typeof entry[1]),
  );
  return Object.fromEntries(flat.slice(0, KEYS_MAX));
}

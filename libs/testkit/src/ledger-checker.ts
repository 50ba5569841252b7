/**
 * What one actor says about one item. `accepted`: it took the item on, or tried to hand it over (again). `acked`: it holds the
 * receipt. `applied`: it made the item's effect (one checker an effect).
 */
export interface LedgerEntry {
  readonly actor: string;
  readonly itemId: string;
  readonly kind: 'accepted' | 'acked' | 'applied';
}

/**
 * `ok` applied once; `lost` a receipt was given and nothing applied; `unknown` neither a receipt nor an effect: the sender must
 * try again; `duplicated` applied more than once; `unexpected` applied once although nobody had taken it on.
 */
export type ItemFate = 'ok' | 'lost' | 'unknown' | 'duplicated' | 'unexpected';

export interface LedgerVerdict {
  readonly counts: Readonly<Record<ItemFate, number>>;
  /** Times an item was taken on or tried again after the first. Zero in a fault run: the fault did not bite. */
  readonly retries: number;
  readonly fates: ReadonlyMap<string, ItemFate>;
  /** Items of a fate, to show as evidence. */
  readonly items: (fate: ItemFate) => string[];
}

interface Tally {
  accepted: number;
  acked: number;
  applied: number;
}

/** Fed by all actors' logs, in any order. */
export class LedgerChecker {
  readonly #tallies = new Map<string, Tally>();

  add(entry: LedgerEntry): void {
    const tally = this.#tallies.get(entry.itemId) ?? { accepted: 0, acked: 0, applied: 0 };
    tally[entry.kind] += 1;
    this.#tallies.set(entry.itemId, tally);
  }

  addAll(entries: Iterable<LedgerEntry>): void {
    for (const entry of entries) this.add(entry);
  }

  /** One JSON entry a line; a half-written last line (its writer was killed) is passed over. Returns how many lines were read. */
  addLog(text: string): number {
    const entries = text.split('\n').flatMap(parseLine);
    this.addAll(entries);
    return entries.length;
  }

  verdict(): LedgerVerdict {
    const fates = new Map([...this.#tallies].map(([itemId, tally]) => [itemId, fateOf(tally)]));
    const counts: Record<ItemFate, number> = { ok: 0, lost: 0, unknown: 0, duplicated: 0, unexpected: 0 };
    for (const fate of fates.values()) counts[fate] += 1;
    const retries = [...this.#tallies.values()].reduce((sum, { accepted }) => sum + Math.max(0, accepted - 1), 0);
    return { counts, retries, fates, items: (fate) => [...fates].filter(([, one]) => one === fate).map(([itemId]) => itemId) };
  }
}

function fateOf({ accepted, acked, applied }: Tally): ItemFate {
  if (applied > 1) return 'duplicated';
  if (applied === 1) return accepted + acked > 0 ? 'ok' : 'unexpected';
  return acked > 0 ? 'lost' : 'unknown';
}

function parseLine(line: string): LedgerEntry[] {
  try {
    const entry = JSON.parse(line) as Partial<LedgerEntry>;
    const isEntry =
      typeof entry.itemId === 'string' && typeof entry.actor === 'string' && ['accepted', 'acked', 'applied'].includes(entry.kind ?? '');
    return isEntry ? [entry as LedgerEntry] : [];
  } catch {
    return [];
  }
}

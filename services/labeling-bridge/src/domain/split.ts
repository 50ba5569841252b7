import { distance, fingerprintOf, shareOf, type Fingerprint } from './fingerprint.ts';

/** What the split looks at. */
export interface SplitItem {
  readonly sampleId: string;
  readonly dhash: string;
  readonly nodeId: string | null;
  readonly capturedAtMs: number | null;
  readonly origin: 'imported' | 'collected';
  readonly slice: string;
}

/**
 * `withheld`: similar to pictures on both sides, so wherever it went it would tell the model about its own exam; it is kept out.
 */
export type Placement = 'train' | 'holdout' | 'withheld';

export interface PlacedItem extends SplitItem {
  /** The smallest sample id of the pictures that stay together. */
  readonly group: string;
  readonly split: Placement;
}

export interface SplitRules {
  /** Pictures that differ in at most this many bits of 64 stay together, whoever took them. */
  readonly nearDuplicateBits: number;
  /** Frames of one node at most this far apart in time … */
  readonly neighbourMs: number;
  /** … and in bits stay together. */
  readonly neighbourBits: number;
  /** Share of collected items, per slice, that the model never sees. */
  readonly holdoutShare: number;
  /** The same of imported items; 0 where the incumbent may have learnt from all of them. */
  readonly importedHoldoutShare: number;
  /** A slice with so many items to learn from needs no more … */
  readonly trainEnough: number;
  /** … until so many are there to be judged on. */
  readonly holdoutWanted: number;
}

/**
 * Places fresh items beside those placed before, which never move. Similar pictures never end up on two sides. Depends on the sets alone,
 * not on their order.
 */
export function placeItems(placed: readonly PlacedItem[], fresh: readonly SplitItem[], rules: SplitRules): PlacedItem[] {
  const known = new Set(placed.map(({ sampleId }) => sampleId));
  const unique = new Map(fresh.filter(({ sampleId }) => !known.has(sampleId)).map((item) => [item.sampleId, item]));
  const items = [...unique.values()].toSorted((a, b) => (a.sampleId < b.sampleId ? -1 : 1));
  const groups = groupsOf(placed, items, rules);
  const bound = groups.filter(({ touches }) => touches.length > 0);
  const free = groups.filter(({ touches }) => touches.length === 0);
  const inherited = bound.flatMap((group) => membersAs(group, inheritedSplit(group)));
  return [...inherited, ...placeFree([...placed, ...inherited], free, rules)].toSorted((a, b) => (a.sampleId < b.sampleId ? -1 : 1));
}

interface Group {
  readonly name: string;
  readonly members: readonly SplitItem[];
  /** Items placed before that are similar to a member. */
  readonly touches: readonly PlacedItem[];
}

interface Located {
  readonly item: SplitItem;
  readonly print: Fingerprint;
}

function groupsOf(placed: readonly PlacedItem[], items: readonly SplitItem[], rules: SplitRules): readonly Group[] {
  const fresh = items.map(locate);
  const old = placed.map((item) => ({ item, print: fingerprintOf(item.dhash) }));
  const roots = items.map((_, index) => index);
  const rootOf = (index: number): number => (roots[index] === index ? index : (roots[index] = rootOf(roots[index] ?? index)));
  const touches = new Map<number, PlacedItem[]>();
  for (const [index, one] of fresh.entries()) {
    // The smaller index wins, so the root of a group is its smallest sample id.
    for (let other = 0; other < index; other++) {
      if (isSimilar(one, fresh[other] as Located, rules)) unite(roots, rootOf(index), rootOf(other));
    }
    touches.set(
      index,
      old.filter((each) => isSimilar(one, each, rules)).map(({ item }) => item),
    );
  }
  const members = Map.groupBy(items.keys(), rootOf);
  return [...members].map(([root, indices]) => ({
    name: (items[root] as SplitItem).sampleId,
    members: indices.map((index) => items[index] as SplitItem),
    touches: indices.flatMap((index) => touches.get(index) ?? []),
  }));
}

function locate(item: SplitItem): Located {
  return { item, print: fingerprintOf(item.dhash) };
}

function unite(roots: number[], a: number, b: number): void {
  roots[Math.max(a, b)] = Math.min(a, b);
}

function isSimilar(a: Located, b: Located, rules: SplitRules): boolean {
  const bits = distance(a.print, b.print);
  return bits <= rules.nearDuplicateBits || (bits <= rules.neighbourBits && isNeighbour(a.item, b.item, rules.neighbourMs));
}

function isNeighbour(a: SplitItem, b: SplitItem, withinMs: number): boolean {
  if (a.nodeId === null || a.nodeId !== b.nodeId || a.capturedAtMs === null || b.capturedAtMs === null) return false;
  return Math.abs(a.capturedAtMs - b.capturedAtMs) <= withinMs;
}

function inheritedSplit({ touches }: Group): Placement {
  const splits = new Set(touches.map(({ split }) => split));
  if (splits.has('train') && splits.has('holdout')) return 'withheld';
  if (splits.has('holdout')) return 'holdout';
  return splits.has('train') ? 'train' : 'withheld';
}

function membersAs(group: Group, split: Placement): PlacedItem[] {
  const name = group.touches[0]?.group ?? group.name;
  return group.members.map((item) => ({ ...item, group: name, split }));
}

/** Groups that are like nothing placed before, in an order that only their names decide. */
function placeFree(placed: readonly PlacedItem[], groups: readonly Group[], rules: SplitRules): PlacedItem[] {
  const quotas = new Quotas(placed, groups, rules);
  const ordered = groups.toSorted((a, b) => shareOf(a.name) - shareOf(b.name) || (a.name < b.name ? -1 : 1));
  return ordered.flatMap((group) => membersAs(group, quotas.place(group)));
}

/** How many of each slice are still wanted to judge on. */
class Quotas {
  readonly #rules: SplitRules;
  /** Items that go to holdout because the slice has enough to learn from. */
  readonly #judgesWanted = new Map<string, number>();
  /** Collected items that the share still allows in holdout. */
  readonly #shareLeft = new Map<string, number>();

  constructor(placed: readonly PlacedItem[], groups: readonly Group[], rules: SplitRules) {
    this.#rules = rules;
    const collected = groups.filter((group) => !isImported(group));
    for (const slice of new Set(collected.map(sliceOf))) {
      const inSlice = placed.filter((item) => item.slice === slice);
      const count = (split: Placement): number => inSlice.filter((item) => item.split === split).length;
      const before = inSlice.filter(({ origin, split }) => origin === 'collected' && split !== 'withheld');
      const fresh = collected.filter((group) => sliceOf(group) === slice).reduce((sum, { members }) => sum + members.length, 0);
      const target = Math.round(rules.holdoutShare * (before.length + fresh));
      this.#shareLeft.set(slice, target - before.filter(({ split }) => split === 'holdout').length);
      this.#judgesWanted.set(slice, count('train') >= rules.trainEnough ? rules.holdoutWanted - count('holdout') : 0);
    }
  }

  place(group: Group): Placement {
    if (isImported(group)) return shareOf(group.name) < this.#rules.importedHoldoutShare ? 'holdout' : 'train';
    const slice = sliceOf(group);
    const size = group.members.length;
    const wanted = (this.#judgesWanted.get(slice) ?? 0) > 0;
    const fits = size <= (this.#shareLeft.get(slice) ?? 0);
    if (!wanted && !fits) return 'train';
    this.#judgesWanted.set(slice, (this.#judgesWanted.get(slice) ?? 0) - size);
    this.#shareLeft.set(slice, (this.#shareLeft.get(slice) ?? 0) - size);
    return 'holdout';
  }
}

function isImported({ members }: Group): boolean {
  return members.some(({ origin }) => origin === 'imported');
}

function sliceOf({ members }: Group): string {
  return members[0]?.slice ?? '';
}

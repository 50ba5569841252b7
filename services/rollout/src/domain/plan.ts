import type { WaveSize } from '@edgeloop/contracts';

/** 32-bit FNV-1a with a final mix, so that neighbouring names land far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** The same nodes and the same seed always give the same order, whatever order they came in. */
export function seededOrder(nodeIds: readonly string[], seed: number): string[] {
  const keyed = [...new Set(nodeIds)].map((nodeId) => ({ nodeId, key: hash(`${seed}:${nodeId}`) }));
  return keyed.sort((a, b) => a.key - b.key || (a.nodeId < b.nodeId ? -1 : 1)).map(({ nodeId }) => nodeId);
}

/** Nodes of one wave: a count, or a share of all selected nodes rounded down; at least one. */
export function waveSize(size: WaveSize, selected: number): number {
  return 'count' in size ? size.count : Math.max(1, Math.floor((size.percent * selected) / 100));
}

/**
 * Splits the nodes into waves. A wave takes from those not yet taken; waves that would be empty are left out.
 * Nodes beyond the last wave are not offered the release.
 */
export function planWaves(nodeIds: readonly string[], sizes: readonly WaveSize[], seed: number): string[][] {
  const order = seededOrder(nodeIds, seed);
  const waves: string[][] = [];
  let taken = 0;
  for (const size of sizes) {
    const wave = order.slice(taken, taken + waveSize(size, order.length));
    taken += wave.length;
    if (wave.length > 0) waves.push(wave);
  }
  return waves;
}

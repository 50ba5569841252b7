const BITS_OF_NIBBLE = [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4] as const;

/** Bits in which two hashes of 16 hex digits differ, 0 to 64. */
export function hashDistance(a: string, b: string): number {
  let bits = 0;
  for (let index = 0; index < a.length; index += 1) {
    bits += BITS_OF_NIBBLE[parseInt(a[index] ?? '0', 16) ^ parseInt(b[index] ?? '0', 16)] ?? 0;
  }
  return bits;
}

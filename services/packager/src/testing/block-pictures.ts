import { encodeJpeg } from '@edgeloop/vision';

const SIDE = 160;
const BLOCK = 16;
export const COLOURS = { red: [255, 0, 0], blue: [0, 0, 255] } as const;

/** A grey picture with coloured blocks at these cells of 16 x 16 pixels. */
export async function blockPicture(
  blocks: readonly { at: readonly [number, number]; colour: keyof typeof COLOURS }[] = [],
): Promise<Uint8Array> {
  const rgb = new Uint8Array(SIDE * SIDE * 3).fill(110);
  for (const { at, colour } of blocks)
    for (let y = 0; y < BLOCK; y += 1)
      for (let x = 0; x < BLOCK; x += 1) rgb.set(COLOURS[colour], ((at[1] * BLOCK + y) * SIDE + at[0] * BLOCK + x) * 3);
  return await encodeJpeg({ width: SIDE, height: SIDE, rgb }, 95);
}

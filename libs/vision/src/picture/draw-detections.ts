import type { Corners } from './geometry.ts';
import { GLYPH_COLUMNS, GLYPH_ROWS, glyphOf } from './glyphs.ts';
import { loadSharp } from './load-sharp.ts';
import { decodePicture, pixels } from './read-picture.ts';
import type { PictureInput, RawPicture } from './read-picture.ts';

/** A box to draw, in pixels of the picture. */
export interface DrawnBox {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly classId: number;
  /** Written above the box, for example `helmet 0.87`. */
  readonly label: string;
}

export interface DrawOptions {
  /** Written into the upper left corner. */
  readonly title?: string;
}

type Colour = readonly [number, number, number];

/** The longer side of a drawing, in pixels, at least. */
const DRAWN_SIDE_MIN = 800;

const INK: Colour = [16, 16, 16];

/** Distinct for colour-blind eyes too (Okabe and Ito). */
const CLASS_COLOURS: readonly Colour[] = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [213, 94, 0],
  [204, 121, 167],
];

const TITLE_PAPER: Colour = [255, 255, 255];

/**
 * The picture with its boxes, as PNG. Letters are drawn pixel by pixel: the same bytes on machines with and without fonts.
 * @throws UnreadablePictureError, PictureTooLargeError
 */
export async function drawDetections(picture: PictureInput, boxes: readonly DrawnBox[], options: DrawOptions = {}): Promise<Uint8Array> {
  const { rgb, width, height, zoom } = await enlarged(await decodePicture(picture));
  const canvas = new Canvas({ rgb, width, height });
  for (const { x1, y1, x2, y2, classId, label } of boxes) {
    const corners = { x1: x1 * zoom, y1: y1 * zoom, x2: x2 * zoom, y2: y2 * zoom };
    canvas.box(corners, label, CLASS_COLOURS[classId % CLASS_COLOURS.length]!);
  }
  if (options.title !== undefined) canvas.text(options.title, { x: 0, y: 0, paper: TITLE_PAPER });
  const sharp = await loadSharp();
  return sharp(canvas.picture.rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Letters have a least size, so that a small picture is drawn larger to leave its content visible between them. */
async function enlarged({ rgb, width, height }: RawPicture): Promise<RawPicture & { zoom: number }> {
  const zoom = Math.max(1, Math.ceil(DRAWN_SIDE_MIN / Math.max(width, height)));
  const size = { width: width * zoom, height: height * zoom };
  if (zoom === 1) return { rgb: Uint8Array.from(rgb), ...size, zoom };
  const sharp = await loadSharp();
  const scaled = sharp(rgb, { raw: { width, height, channels: 3 } }).resize(size.width, size.height, { fit: 'fill', kernel: 'cubic' });
  return { rgb: await pixels(scaled), ...size, zoom };
}

interface TextPlace {
  readonly x: number;
  readonly y: number;
  readonly paper: Colour;
}

class Canvas {
  readonly picture: RawPicture;
  /** Pixels per dot of a letter and per line. */
  readonly #pen: number;

  constructor(picture: RawPicture) {
    this.picture = picture;
    this.#pen = Math.max(1, Math.round(Math.max(picture.width, picture.height) / 800));
  }

  box(box: Corners, label: string, colour: Colour): void {
    const [x1, y1, x2, y2] = [box.x1, box.y1, box.x2, box.y2].map(Math.round) as [number, number, number, number];
    const pen = this.#pen + 1;
    this.#fill(x1, y1, x2 - x1, pen, colour);
    this.#fill(x1, y2 - pen, x2 - x1, pen, colour);
    this.#fill(x1, y1, pen, y2 - y1, colour);
    this.#fill(x2 - pen, y1, pen, y2 - y1, colour);
    const above = y1 - this.#textHeight;
    this.text(label, { x: x1, y: above >= 0 ? above : y1, paper: colour });
  }

  text(text: string, { x, y, paper }: TextPlace): void {
    const pen = this.#pen;
    // Letters beyond the table become question marks one by one, so code points are the right unit.
    const chars = Array.from(text);
    const length = chars.length * (GLYPH_COLUMNS + 1) * pen + pen;
    // A label at the right edge moves in, so that its end stays readable.
    const start = Math.max(0, Math.min(x, this.picture.width - length));
    this.#fill(start, y, length, this.#textHeight, paper);
    for (const [index, char] of chars.entries()) {
      const left = start + pen + index * (GLYPH_COLUMNS + 1) * pen;
      for (const [row, column] of glyphOf(char)) this.#fill(left + column * pen, y + (row + 1) * pen, pen, pen, INK);
    }
  }

  get #textHeight(): number {
    return (GLYPH_ROWS + 2) * this.#pen;
  }

  #fill(x: number, y: number, w: number, h: number, [red, green, blue]: Colour): void {
    const { rgb, width, height } = this.picture;
    for (let row = Math.max(0, y); row < Math.min(height, y + h); row++) {
      for (let column = Math.max(0, x); column < Math.min(width, x + w); column++) {
        const at = (row * width + column) * 3;
        rgb[at] = red;
        rgb[at + 1] = green;
        rgb[at + 2] = blue;
      }
    }
  }
}

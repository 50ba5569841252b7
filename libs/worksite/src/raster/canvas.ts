import type { Rgb } from '../domain/sun.ts';
import type { Level, Sprite } from './sprite.ts';

/** What is being drawn, and for every pixel whose head is in front there (0 = nobody's). */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  /** RGB, row by row. */
  readonly pixels: Uint8ClampedArray;
  readonly owners: Uint8Array;
}

/** Where and how a sprite lands: its upper left corner and size in canvas px. */
export interface Placing {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly flip: boolean;
  readonly tint: Rgb;
  /** Colour and share of the air between camera and thing. */
  readonly haze: Rgb;
  readonly hazeShare: number;
  /** Written to `owners` under opaque pixels. */
  readonly owner: number;
}

const OPAQUE = 128;

export function createCanvas(width: number, height: number): Canvas {
  return { width, height, pixels: new Uint8ClampedArray(width * height * 3), owners: new Uint8Array(width * height) };
}

/** Draws the sprite over the canvas, reading four neighbours of the smallest level that is still larger than the target. */
export function drawSprite(canvas: Canvas, sprite: Sprite, placing: Placing): void {
  const level = levelFor(sprite, placing);
  const { left, right, top, bottom } = coveredPixels(canvas, placing);
  const stepX = level.width / placing.width;
  const stepY = level.height / placing.height;
  const taken = new Float64Array(4);
  for (let y = top; y <= bottom; y += 1) {
    const v = (y + 0.5 - placing.y) * stepY - 0.5;
    for (let x = left; x <= right; x += 1) {
      const across = (x + 0.5 - placing.x) * stepX - 0.5;
      sample(level, placing.flip ? level.width - 1 - across : across, v, taken);
      if (taken[3]! > 0) paint(canvas, y * canvas.width + x, placing, taken);
    }
  }
}

function coveredPixels(canvas: Canvas, placing: Placing): { left: number; right: number; top: number; bottom: number } {
  return {
    left: Math.max(0, Math.ceil(placing.x - 0.5)),
    right: Math.min(canvas.width - 1, Math.floor(placing.x + placing.width - 0.5)),
    top: Math.max(0, Math.ceil(placing.y - 0.5)),
    bottom: Math.min(canvas.height - 1, Math.floor(placing.y + placing.height - 0.5)),
  };
}

/** Darkens the ground where the sprite's shadow falls: its outline laid down from the foot line, pushed sideways by `slope`. */
export function drawShadow(
  canvas: Canvas,
  sprite: Sprite,
  cast: { x: number; footY: number; width: number; height: number; slope: number; flat: number; depth: number },
): void {
  const level = sprite.levels[Math.min(2, sprite.levels.length - 1)]!;
  const reach = cast.height * cast.flat;
  const taken = new Float64Array(4);
  const top = Math.max(0, Math.ceil(cast.footY - reach));
  for (let y = top; y < Math.min(canvas.height, cast.footY); y += 1) {
    const up = (cast.footY - y) / reach;
    const shift = cast.slope * cast.height * up;
    const v = (1 - up) * level.height - 0.5;
    const left = Math.max(0, Math.floor(cast.x + shift));
    const right = Math.min(canvas.width - 1, Math.ceil(cast.x + shift + cast.width));
    for (let x = left; x <= right; x += 1) {
      sample(level, ((x - cast.x - shift) / cast.width) * level.width - 0.5, v, taken);
      const keep = 1 - (taken[3]! / 255) * cast.depth * (1 - 0.45 * up);
      const at = (y * canvas.width + x) * 3;
      canvas.pixels[at]! *= keep;
      canvas.pixels[at + 1]! *= keep;
      canvas.pixels[at + 2]! *= keep;
    }
  }
}

/** Lays a full-size layer over the canvas. */
export function drawLayer(canvas: Canvas, layer: Level, tint: Rgb): void {
  const { pixels } = canvas;
  for (let from = 0, at = 0; from < layer.data.length; from += 4, at += 3) {
    const behind = 1 - layer.data[from + 3]! / 255;
    pixels[at] = layer.data[from]! * tint.r + pixels[at]! * behind;
    pixels[at + 1] = layer.data[from + 1]! * tint.g + pixels[at + 1]! * behind;
    pixels[at + 2] = layer.data[from + 2]! * tint.b + pixels[at + 2]! * behind;
  }
}

function levelFor(sprite: Sprite, placing: Placing): Level {
  let chosen = sprite.levels[0]!;
  for (const level of sprite.levels) if (level.width >= placing.width && level.height >= placing.height) chosen = level;
  return chosen;
}

function paint({ pixels, owners }: Canvas, index: number, { tint, haze, hazeShare, owner }: Placing, taken: Float64Array): void {
  const clear = 1 - hazeShare;
  const alpha = taken[3]! / 255;
  const behind = 1 - alpha;
  const air = alpha * hazeShare;
  const at = index * 3;
  pixels[at] = taken[0]! * tint.r * clear + haze.r * air + pixels[at]! * behind;
  pixels[at + 1] = taken[1]! * tint.g * clear + haze.g * air + pixels[at + 1]! * behind;
  pixels[at + 2] = taken[2]! * tint.b * clear + haze.b * air + pixels[at + 2]! * behind;
  if (taken[3]! >= OPAQUE) owners[index] = owner;
}

/** Bilinear read into `taken`; outside the level everything is transparent. */
function sample(level: Level, u: number, v: number, taken: Float64Array): void {
  const x = Math.floor(u);
  const y = Math.floor(v);
  if (x < 0 || y < 0 || x + 1 >= level.width || y + 1 >= level.height) return sampleEdge(level, u, v, taken);
  const fx = u - x;
  const fy = v - y;
  const { data } = level;
  const at = (y * level.width + x) * 4;
  const below = at + level.width * 4;
  const [a, b, c, d] = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy];
  for (let channel = 0; channel < 4; channel += 1) {
    taken[channel] = data[at + channel]! * a + data[at + 4 + channel]! * b + data[below + channel]! * c + data[below + 4 + channel]! * d;
  }
}

function sampleEdge(level: Level, u: number, v: number, taken: Float64Array): void {
  const x = Math.floor(u);
  const y = Math.floor(v);
  const fx = u - x;
  const fy = v - y;
  taken.fill(0);
  add(level, x, y, (1 - fx) * (1 - fy), taken);
  add(level, x + 1, y, fx * (1 - fy), taken);
  add(level, x, y + 1, (1 - fx) * fy, taken);
  add(level, x + 1, y + 1, fx * fy, taken);
}

function add(level: Level, x: number, y: number, weight: number, taken: Float64Array): void {
  if (x < 0 || y < 0 || x >= level.width || y >= level.height) return;
  const at = (y * level.width + x) * 4;
  taken[0]! += level.data[at]! * weight;
  taken[1]! += level.data[at + 1]! * weight;
  taken[2]! += level.data[at + 2]! * weight;
  taken[3]! += level.data[at + 3]! * weight;
}

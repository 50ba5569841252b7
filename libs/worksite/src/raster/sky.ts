import { chanceOf } from '../domain/chance.ts';
import { mix } from '../domain/sun.ts';
import type { Rgb, Sun } from '../domain/sun.ts';
import type { Canvas } from './canvas.ts';

const SUN_RADIUS = 0.036;
const GLOW_RADIUS = 0.34;
const SUN_COLOUR: Rgb = { r: 255, g: 246, b: 214 };
const WHITE: Rgb = { r: 255, g: 255, b: 255 };
const CLOUDS = 6;
const PUFFS = 7;

/** Sky down to `horizonPx`: a gradient, the sun with its glow, and clouds that drift with the tick. */
export function drawSky(canvas: Canvas, view: { sun: Sun; horizonPx: number; seed: number; tick: number }): void {
  const { sun, horizonPx } = view;
  for (let y = 0; y < canvas.height; y += 1) {
    const colour = mix(sun.skyTop, sun.skyLow, Math.min(1, y / horizonPx));
    const from = y * canvas.width * 3;
    for (let at = from; at < from + canvas.width * 3; at += 3) {
      canvas.pixels[at] = colour.r;
      canvas.pixels[at + 1] = colour.g;
      canvas.pixels[at + 2] = colour.b;
    }
  }
  const middle = { x: sun.x * canvas.width, y: horizonPx * (1 - 0.82 * sun.height) };
  glow(canvas, middle, { radius: GLOW_RADIUS * canvas.width, below: horizonPx, colour: SUN_COLOUR, share: 0.5, hard: false });
  glow(canvas, middle, { radius: SUN_RADIUS * canvas.width, below: horizonPx, colour: SUN_COLOUR, share: 1, hard: true });
  drawClouds(canvas, view);
}

function drawClouds(canvas: Canvas, view: { horizonPx: number; seed: number; tick: number }): void {
  for (let cloud = 0; cloud < CLOUDS; cloud += 1) {
    const chance = chanceOf('cloud', view.seed, cloud);
    const width = chance.between(0.1, 0.24) * canvas.width;
    const span = canvas.width + width * 2;
    const x = ((chance.unit() * span + view.tick * chance.between(0.05, 0.25)) % span) - width;
    const y = chance.between(0.08, 0.6) * view.horizonPx;
    for (let puff = 0; puff < PUFFS; puff += 1) {
      const middle = { x: x + chance.between(0, width), y: y + chance.between(-0.05, 0.08) * width };
      glow(canvas, middle, { radius: width * chance.between(0.13, 0.26), below: view.horizonPx, colour: WHITE, share: 0.5, hard: true });
    }
  }
}

/** Mixes a disc of colour into the sky: full to its edge where `hard`, else fading from the middle. */
function glow(
  canvas: Canvas,
  middle: { x: number; y: number },
  disc: { radius: number; below: number; colour: Rgb; share: number; hard: boolean },
): void {
  const { radius, colour } = disc;
  const bottom = Math.min(canvas.height, disc.below + 8, middle.y + radius);
  for (let y = Math.max(0, Math.floor(middle.y - radius)); y < bottom; y += 1) {
    for (let x = Math.max(0, Math.floor(middle.x - radius)); x < Math.min(canvas.width, middle.x + radius); x += 1) {
      const near = 1 - Math.hypot(x - middle.x, y - middle.y) / radius;
      if (near <= 0) continue;
      const share = disc.share * (disc.hard ? Math.min(1, near * 4) : near * near);
      const at = (y * canvas.width + x) * 3;
      canvas.pixels[at]! += (colour.r - canvas.pixels[at]!) * share;
      canvas.pixels[at + 1]! += (colour.g - canvas.pixels[at + 1]!) * share;
      canvas.pixels[at + 2]! += (colour.b - canvas.pixels[at + 2]!) * share;
    }
  }
}

import type { ArtStore } from './art-store.ts';
import { BODY, CHIN_OVERLAP, HEAD_HEIGHT, HELMET_HEIGHT } from './art/figure.ts';
import { HELMET } from './domain/look.ts';
import { FRAME } from './domain/site.ts';
import type { Prop, Site } from './domain/site.ts';
import type { SceneRequest } from './domain/scene-id.ts';
import { sunAt } from './domain/sun.ts';
import type { Rgb, Sun } from './domain/sun.ts';
import { truthOf } from './domain/truth.ts';
import type { DrawnHead, TruthBox } from './domain/truth.ts';
import { figuresAt } from './domain/walk.ts';
import type { Figure } from './domain/walk.ts';
import { createCanvas, drawLayer, drawShadow, drawSprite } from './raster/canvas.ts';
import type { Canvas } from './raster/canvas.ts';
import { drawSky } from './raster/sky.ts';
import type { Sprite } from './raster/sprite.ts';

/** A frame before the camera: exact colours, exact truth. */
export interface DrawnScene {
  /** RGB, row by row. */
  readonly pixels: Uint8ClampedArray;
  readonly truth: readonly TruthBox[];
}

/** Share of the air's colour on the farthest thing; nothing on what stands at the lower border. */
const HAZE_SHARE_MAX = 0.3;
/** A shadow lies down: this share of a thing's height becomes its length on the ground. */
const SHADOW_FLAT = 0.26;
const NOBODY = 0;

interface Stage {
  readonly canvas: Canvas;
  readonly site: Site;
  readonly sun: Sun;
  /** Canvas px per unit of `FRAME`. */
  readonly scaleX: number;
  readonly scaleY: number;
}

type Thing = { readonly footY: number } & (
  { readonly prop: Prop; readonly sprite: Sprite } | { readonly figure: Figure; readonly body: Sprite; readonly head: Sprite }
);

export async function drawScene(art: ArtStore, scene: SceneRequest): Promise<DrawnScene> {
  const { site, backdrop } = await art.site(scene.seed, scene.camera, scene);
  const sun = sunAt(scene.tick, site.sunPhase);
  const canvas = createCanvas(scene.width, scene.height);
  const stage = { canvas, site, sun, scaleX: scene.width / FRAME.width, scaleY: scene.height / FRAME.height };
  drawSky(canvas, { sun, horizonPx: site.horizon * stage.scaleY, seed: site.artSeed, tick: scene.tick });
  const crane = await art.prop({ pack: 'noto', icon: 'building-construction' });
  drawCrane(stage, crane);
  drawLayer(canvas, backdrop, sun.tint);
  const heads: DrawnHead[] = [];
  for (const thing of await thingsOf(art, site, scene)) {
    if ('prop' in thing) drawProp(stage, thing.prop, thing.sprite);
    else heads.push(drawFigure(stage, thing));
  }
  return { pixels: canvas.pixels, truth: truthOf(heads, canvas.owners, canvas.width) };
}

/** Far things first, so that near ones cover them. People on decks stand before the building, behind everything on the ground. */
async function thingsOf(art: ArtStore, site: Site, scene: SceneRequest): Promise<Thing[]> {
  const props = site.props.map(async (prop) => ({ prop, footY: prop.footY, sprite: await art.prop(prop) }));
  const people = figuresAt(site, scene.seed, scene.camera, scene.tick).map(async (figure) => ({
    figure,
    footY: figure.onGround ? figure.footY : 0,
    body: await art.body(figure.look, figure.pose),
    head: await art.head(figure.look),
  }));
  const things: Thing[] = await Promise.all([...props, ...people]);
  return things.sort((a, b) => a.footY - b.footY);
}

function drawCrane({ canvas, site, sun, scaleX, scaleY }: Stage, sprite: Sprite): void {
  const height = site.crane.height * scaleY;
  const width = ((height * sprite.width) / sprite.height) * (scaleX / scaleY);
  const place = { x: site.crane.x * scaleX, y: (site.horizon + 10) * scaleY - height, width, height, flip: site.crane.flip };
  drawSprite(canvas, sprite, { ...place, tint: sun.tint, haze: sun.skyLow, hazeShare: HAZE_SHARE_MAX, owner: NOBODY });
}

function drawProp(stage: Stage, prop: Prop, sprite: Sprite): void {
  const { canvas, sun, scaleX, scaleY } = stage;
  const height = prop.height * scaleY;
  const width = ((height * sprite.width) / sprite.height) * (scaleX / scaleY);
  const place = { x: prop.x * scaleX, y: prop.footY * scaleY - height, width, height, flip: prop.flip };
  shade(stage, sprite, place);
  drawSprite(canvas, sprite, { ...place, ...airAt(stage, prop.footY), tint: sun.tint, owner: NOBODY });
}

/** Draws body, then head; the head's opaque pixels are what its truth is measured from. */
function drawFigure(stage: Stage, { figure, body, head }: { figure: Figure; body: Sprite; head: Sprite }): DrawnHead {
  const { canvas, sun, scaleX, scaleY } = stage;
  const helmet = figure.look.classId === HELMET;
  const headUnits = helmet ? HELMET_HEIGHT : HEAD_HEIGHT;
  const unit = figure.height / (BODY.height - BODY.collarY + HEAD_HEIGHT - CHIN_OVERLAP);
  const bodyHeight = body.height * ((BODY.height * unit) / BODY_RASTER_HEIGHT);
  const bodyWidth = (bodyHeight * body.width) / body.height;
  const bodyTop = figure.footY - bodyHeight;
  const air = airAt(stage, figure.footY);
  const torso = {
    x: (figure.x - bodyWidth / 2) * scaleX,
    y: bodyTop * scaleY,
    width: bodyWidth * scaleX,
    height: bodyHeight * scaleY,
    flip: figure.flip,
  };
  if (figure.onGround) shade(stage, body, torso);
  drawSprite(canvas, body, { ...torso, ...air, tint: sun.tint, owner: NOBODY });
  const headHeight = headUnits * unit;
  const headWidth = (headHeight * head.width) / head.height;
  const headTop = bodyTop + (BODY.collarY + CHIN_OVERLAP) * unit - headHeight;
  const face = {
    x: (figure.x - headWidth / 2) * scaleX,
    y: headTop * scaleY,
    width: headWidth * scaleX,
    height: headHeight * scaleY,
    flip: figure.flip,
  };
  drawSprite(canvas, head, { ...face, ...air, tint: sun.tint, owner: figure.id });
  return {
    owner: figure.id,
    classId: figure.look.classId,
    pixelsWhole: (head.solid * face.width * face.height) / (head.width * head.height),
  };
}

/** Bodies are rasterised at this height before their transparent rim is trimmed. */
const BODY_RASTER_HEIGHT = 256;

function shade({ canvas, sun }: Stage, sprite: Sprite, place: { x: number; y: number; width: number; height: number }): void {
  const cast = { x: place.x, footY: place.y + place.height, width: place.width, height: place.height };
  drawShadow(canvas, sprite, { ...cast, slope: sun.shadowSlope * SHADOW_FLAT * 2, flat: SHADOW_FLAT, depth: sun.shadowDepth });
}

function airAt({ site, sun }: Stage, footY: number): { haze: Rgb; hazeShare: number } {
  const far = 1 - (footY - site.horizon) / (FRAME.height - site.horizon);
  return { haze: sun.skyLow, hazeShare: HAZE_SHARE_MAX * Math.min(1, Math.max(0, far - 0.3)) };
}

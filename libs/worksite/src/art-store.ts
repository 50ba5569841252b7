import { backdropSvg } from './art/backdrop.ts';
import { emojiSvg } from './art/emoji.ts';
import { bodySvg } from './art/figure.ts';
import type { Look } from './domain/look.ts';
import { siteOf } from './domain/site.ts';
import type { Prop, Site } from './domain/site.ts';
import type { Pose } from './domain/walk.ts';
import { layerFromSvg, spriteFromSvg } from './raster/sprite.ts';
import type { Level, Sprite } from './raster/sprite.ts';

/** Largest level of a sprite in px: no head is drawn larger in a frame of 480 x 360. */
const HEAD_PX = 112;
const BODY_PX = 256;
const PROP_PX = 224;
/** Pictures kept: sprites of all cameras together, and backdrops. One camera needs about 60 sprites and one backdrop. */
const SPRITES_MAX = 400;
const SITES_MAX = 12;

export interface DrawnSite {
  readonly site: Site;
  readonly backdrop: Level;
}

/** Rasterised art, made on first use and kept while it is among the last used. */
export class ArtStore {
  readonly #sprites = new Map<string, Promise<Sprite>>();
  readonly #sites = new Map<string, Promise<DrawnSite>>();

  head(look: Look): Promise<Sprite> {
    return recall(this.#sprites, SPRITES_MAX, `head/${look.pack}/${look.icon}`, () => spriteFromSvg(emojiSvg(look, headPixels(look))));
  }

  body(look: Look, pose: Pose): Promise<Sprite> {
    const key = ['body', pose, look.vest, look.shirt, look.trousers, look.skin].join('/');
    return recall(this.#sprites, SPRITES_MAX, key, () => spriteFromSvg(bodySvg(look, pose, BODY_PX)));
  }

  prop(prop: Pick<Prop, 'pack' | 'icon'>): Promise<Sprite> {
    return recall(this.#sprites, SPRITES_MAX, `prop/${prop.pack}/${prop.icon}`, () => spriteFromSvg(emojiSvg(prop, PROP_PX)));
  }

  site(seed: number, camera: string, size: { width: number; height: number }): Promise<DrawnSite> {
    return recall(this.#sites, SITES_MAX, `${seed}/${camera}/${size.width}x${size.height}`, async () => {
      const site = siteOf(seed, camera);
      return { site, backdrop: await layerFromSvg(backdropSvg(site, size)) };
    });
  }
}

/** An icon with shoulders to cut leaves a smaller head: rasterise it larger. */
function headPixels(look: Look): number {
  return Math.round(HEAD_PX / Math.min(1, look.cutBelow));
}

/** Keeps the `most` last used; a failed making is not kept. */
function recall<T>(kept: Map<string, Promise<T>>, most: number, key: string, make: () => Promise<T>): Promise<T> {
  const found = kept.get(key);
  if (found) kept.delete(key);
  const value = found ?? make();
  kept.set(key, value);
  value.catch(() => kept.delete(key));
  if (kept.size > most) kept.delete(kept.keys().next().value!);
  return value;
}

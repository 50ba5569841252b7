import { ArtStore } from './art-store.ts';
import { photograph } from './camera.ts';
import { FRAME } from './domain/site.ts';
import { checkScene, parseSceneId, sceneIdOf } from './domain/scene-id.ts';
import type { SceneRequest } from './domain/scene-id.ts';
import type { TruthBox } from './domain/truth.ts';
import { drawScene } from './draw-scene.ts';
import { commentOf, withComment } from './jpeg-comment.ts';

/** How light it is: `day` = 1, `night` = 0, or anything between for dusk. */
export type Light = 'day' | 'night' | number;

export interface RenderRequest {
  /** Integer; one seed is one worksite company with all its cameras. */
  readonly seed: number;
  /** 1 to 64 letters, digits, "-" or "_"; each camera has its own site and crew. */
  readonly camera: string;
  /** Integer from 0; neighbouring ticks show neighbouring moments. */
  readonly tick: number;
  readonly light: Light;
  /** Default 480 x 360. */
  readonly size?: { readonly width: number; readonly height: number };
}

export interface RenderedScene {
  readonly jpeg: Buffer;
  /** Boxes of what can be seen of each head, in pixels of the frame. */
  readonly truth: readonly TruthBox[];
  /** Also stands in the JPEG as its comment. */
  readonly sceneId: string;
}

/**
 * The drawn worksite. A frame depends on its request alone: the same request gives the same bytes.
 * The scene id travels in the JPEG's comment, so the truth of any frame can be recomputed from its bytes
 * in another process and long after; nothing has to be remembered.
 */
export class Worksite {
  readonly #art = new ArtStore();

  /** @throws InvalidScene */
  async render(request: RenderRequest): Promise<RenderedScene> {
    const scene = sceneOf(request);
    const sceneId = sceneIdOf(scene);
    const drawn = await drawScene(this.#art, scene);
    const jpeg = await photograph({ pixels: drawn.pixels, width: scene.width, height: scene.height }, scene.light, sceneId);
    return { jpeg: withComment(jpeg, sceneId), truth: drawn.truth, sceneId };
  }

  /** The truth of a frame that `render` made, read from its bytes; null where they name no scene. */
  async truthOfJpeg(jpeg: Uint8Array): Promise<readonly TruthBox[] | null> {
    return this.truthOfScene(commentOf(jpeg) ?? '');
  }

  /** The truth of a scene; null where the text is no scene id. */
  async truthOfScene(sceneId: string): Promise<readonly TruthBox[] | null> {
    const scene = parseSceneId(sceneId);
    return scene && (await drawScene(this.#art, scene)).truth;
  }
}

const shared = new Worksite();

/** Renders with art shared by the whole process. */
export function renderScene(request: RenderRequest): Promise<RenderedScene> {
  return shared.render(request);
}

/** The scene id that a frame's bytes carry; null where they carry none. */
export function sceneIdOfJpeg(jpeg: Uint8Array): string | null {
  const comment = commentOf(jpeg);
  return comment !== null && parseSceneId(comment) ? comment : null;
}

function sceneOf({ seed, camera, tick, light, size = FRAME }: RenderRequest): SceneRequest {
  const share = light === 'day' ? 1 : light === 'night' ? 0 : Math.round(light * 1000) / 1000;
  return checkScene({ seed, camera, tick, light: share, width: size.width, height: size.height });
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashOf } from './domain/chance.ts';
import { WORKSITE_CLASSES } from './domain/look.ts';
import type { TruthBox } from './domain/truth.ts';
import { Worksite } from './worksite.ts';
import type { Light, RenderedScene } from './worksite.ts';

export interface ExportRequest {
  readonly folder: string;
  readonly frames: number;
  readonly seed: number;
  readonly light: Light;
  /** Cameras that the frames are spread over; default 24. */
  readonly cameras?: number;
  /** Prefix of camera names: other names are other sites and crews. Default `cam`. */
  readonly cameraPrefix?: string;
  readonly size?: { readonly width: number; readonly height: number };
  readonly onFrame?: (done: number) => void;
}

export interface ExportSummary {
  readonly frames: number;
  readonly boxes: readonly number[];
}

/** Ticks span this many sunrises, so that frames of one camera are far apart. */
const TICKS_SPAN = 20_000;
const CAMERAS = 24;

/**
 * Draws frames into `folder` as a labelled dataset: `images/*.jpg`, `labels/*.txt` (YOLO: class cx cy w h, normalised),
 * `classes.txt`. The same request writes the same bytes.
 */
export async function exportFrames(request: ExportRequest): Promise<ExportSummary> {
  const { folder, frames, seed, light, cameras = CAMERAS, cameraPrefix = 'cam', size } = request;
  const worksite = new Worksite();
  await Promise.all(['images', 'labels'].map((part) => mkdir(join(folder, part), { recursive: true })));
  await writeFile(join(folder, 'classes.txt'), `${WORKSITE_CLASSES.join('\n')}\n`);
  const boxes = WORKSITE_CLASSES.map(() => 0);
  for (let index = 0; index < frames; index += 1) {
    // Camera by camera, so that each site's art is rasterised once.
    const camera = `${cameraPrefix}${Math.floor((index * cameras) / frames)}`;
    const tick = hashOf('export', seed, camera, index) % TICKS_SPAN;
    const scene = await worksite.render({ seed, camera, tick, light, size });
    await writeFrame(folder, `${camera}-${String(index).padStart(5, '0')}`, scene, size);
    for (const box of scene.truth) boxes[box.classId]! += 1;
    request.onFrame?.(index + 1);
  }
  return { frames, boxes };
}

async function writeFrame(folder: string, name: string, scene: RenderedScene, size: ExportRequest['size']): Promise<void> {
  await writeFile(join(folder, 'images', `${name}.jpg`), scene.jpeg);
  await writeFile(join(folder, 'labels', `${name}.txt`), scene.truth.map((box) => `${yoloLine(box, size)}\n`).join(''));
}

function yoloLine(box: TruthBox, { width, height } = { width: 480, height: 360 }): string {
  const numbers = [(box.x + box.w / 2) / width, (box.y + box.h / 2) / height, box.w / width, box.h / height];
  return [box.classId, ...numbers.map((value) => value.toFixed(6))].join(' ');
}

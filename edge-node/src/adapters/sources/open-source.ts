import { statSync } from 'node:fs';
import type { FrameSource } from '../../ports.ts';
import { FolderSource } from './folder-source.ts';
import type { SourceClocks } from './pace.ts';
import { SceneSource } from './scene-source.ts';
import { SnapshotSource } from './snapshot-source.ts';

export class InvalidSourceError extends Error {
  override readonly name = 'InvalidSourceError';
  readonly retryable = false;
  constructor(source: string, why: string) {
    super(
      `EDGELOOP_SOURCE "${source}" ${why}: give folder:/path (or folder-once:/path), scene:<seed>/<camera>[/day|night|0..1], or http(s)://camera/snapshot.jpg`,
    );
  }
}

interface Options {
  readonly framesPerSecond: number;
  readonly clocks: SourceClocks;
}

/** The source that a configuration names. @throws InvalidSourceError */
export async function openSource(source: string, options: Options): Promise<FrameSource> {
  if (/^https?:\/\//.test(source)) return new SnapshotSource({ url: checkedUrl(source), ...options });
  const [, kind, rest] = /^([a-z-]+):(.+)$/s.exec(source) ?? [];
  if (rest !== undefined && (kind === 'folder' || kind === 'folder-once')) {
    if (statSync(rest, { throwIfNoEntry: false })?.isDirectory() !== true) throw new InvalidSourceError(source, 'names no folder');
    return new FolderSource({ folder: rest, loops: kind === 'folder', ...options });
  }
  if (rest !== undefined && kind === 'scene') return openScene(source, rest, options);
  throw new InvalidSourceError(source, 'is of no known kind');
}

function checkedUrl(source: string): string {
  if (!URL.canParse(source)) throw new InvalidSourceError(source, 'is no address');
  return source;
}

/** The drawing library comes only where it is used: on a real camera it would be dead weight. */
async function openScene(source: string, scene: string, options: Options): Promise<FrameSource> {
  const [, seed, camera, light = 'day'] = /^(\d{1,9})\/([A-Za-z0-9_-]{1,64})(?:\/(day|night|[01]|0?\.\d+))?$/.exec(scene) ?? [];
  if (seed === undefined || camera === undefined) throw new InvalidSourceError(source, 'names no scene');
  const { renderScene } = await import('@edgeloop/worksite');
  return new SceneSource({
    seed: Number(seed),
    camera,
    light: light === 'day' || light === 'night' ? light : Number(light),
    render: renderScene,
    ...options,
  });
}

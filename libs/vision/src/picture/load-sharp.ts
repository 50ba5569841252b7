import type sharp from 'sharp';

let loading: Promise<typeof sharp> | undefined;

/**
 * The picture library, loaded at its first use: a process that never decodes a picture does not pay its 15 MiB.
 * One libvips thread and no cache, as an edge node has few cores, most of them busy with the model, and never sees a frame twice.
 */
export function loadSharp(): Promise<typeof sharp> {
  loading ??= import('sharp').then(({ default: loaded }) => {
    loaded.concurrency(1);
    loaded.cache(false);
    return loaded;
  });
  return loading;
}

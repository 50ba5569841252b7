import { createRequire } from 'node:module';
import type { Pack } from '../domain/look.ts';

interface IconSet {
  readonly width?: number;
  readonly icons: Record<string, { readonly body: string; readonly width?: number }>;
  readonly aliases?: Record<string, { readonly parent: string }>;
}

/** An icon that the installed packs do not have: the art or its version is not the pinned one. */
export class UnknownIcon extends Error {
  readonly retryable = false;
  readonly pack: Pack;
  readonly icon: string;

  constructor(pack: Pack, icon: string) {
    super(`the icon pack @iconify-json/${pack} has no icon "${icon}"; install the version pinned in libs/worksite/package.json`);
    this.name = 'UnknownIcon';
    this.pack = pack;
    this.icon = icon;
  }
}

const require = createRequire(import.meta.url);
const loaded = new Map<Pack, IconSet>();

/** The icon as an SVG document of `pixels` x `pixels`; `cutBelow` (share of its height) hides what is lower. */
export function emojiSvg(source: { pack: Pack; icon: string; cutBelow?: number }, pixels: number): string {
  const set = packOf(source.pack);
  const found = set.icons[source.icon] ?? set.icons[set.aliases?.[source.icon]?.parent ?? ''];
  if (!found) throw new UnknownIcon(source.pack, source.icon);
  const side = found.width ?? set.width ?? 16;
  const clip = `<clipPath id="cut"><rect x="0" y="0" width="${side}" height="${side * (source.cutBelow ?? 1)}"/></clipPath>`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 ${side} ${side}" width="${pixels}" height="${pixels}">` +
    `${clip}<g clip-path="url(#cut)">${found.body}</g></svg>`
  );
}

function packOf(pack: Pack): IconSet {
  const known = loaded.get(pack);
  if (known) return known;
  const set = require(`@iconify-json/${pack}/icons.json`) as IconSet;
  loaded.set(pack, set);
  return set;
}

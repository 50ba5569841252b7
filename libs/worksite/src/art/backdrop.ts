import { chanceOf } from '../domain/chance.ts';
import type { Chance } from '../domain/chance.ts';
import { buildingBase, FRAME } from '../domain/site.ts';
import type { Palette, Site } from '../domain/site.ts';

/** Everything behind the people, sky left transparent, as one SVG in frame units. */
export function backdropSvg(site: Site, size: { width: number; height: number }): string {
  const chance = chanceOf('art', site.artSeed);
  const layers = [skyline(chance, site), ground(chance, site), fence(chance, site), building(chance, site), heaps(chance, site)];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${FRAME.width} ${FRAME.height}" width="${size.width}" height="${size.height}" preserveAspectRatio="none">` +
    `${gradients(site)}${layers.join('')}</svg>`
  );
}

function gradients({ palette }: Site): string {
  const stops = (from: string, to: string): string => `<stop offset="0" stop-color="${from}"/><stop offset="1" stop-color="${to}"/>`;
  return (
    `<defs><linearGradient id="ground" x1="0" y1="0" x2="0" y2="1">${stops(palette.ground[1], palette.ground[0])}</linearGradient>` +
    `<linearGradient id="wall" x1="0" y1="0" x2="1" y2="0">${stops(palette.wall, '#8d8a85')}</linearGradient>` +
    `<linearGradient id="pile" x1="0" y1="0" x2="1" y2="1">${stops('#e2c58d', '#a67f4a')}</linearGradient></defs>`
  );
}

function skyline(chance: Chance, { horizon, palette }: Site): string {
  let x = -20;
  let drawn = '';
  while (x < FRAME.width) {
    const width = chance.between(26, 70);
    const height = chance.between(18, 78);
    drawn += `<rect x="${x}" y="${horizon - height}" width="${width}" height="${height + 8}" fill="${palette.skyline}" opacity="${chance.between(0.55, 0.95)}"/>`;
    drawn += windows(chance, { x, y: horizon - height, width, height });
    x += width + chance.between(-6, 22);
  }
  return drawn;
}

function windows(chance: Chance, wall: { x: number; y: number; width: number; height: number }): string {
  const panes: string[] = [];
  for (let y = wall.y + 6; y < wall.y + wall.height - 8; y += 9) {
    for (let x = wall.x + 5; x < wall.x + wall.width - 7; x += 8) {
      if (chance.unit() < 0.7) panes.push(`M${x.toFixed(1)} ${y.toFixed(1)}h4v5h-4z`);
    }
  }
  return `<path d="${panes.join('')}" fill="#f4f8ff" opacity=".42"/>`;
}

function ground(chance: Chance, { horizon }: Site): string {
  const depth = FRAME.height - horizon;
  const stones = Array.from({ length: 260 }, () => {
    const far = chance.unit() ** 0.7;
    const y = horizon + 4 + far * depth;
    const size = 0.5 + far * 2.6;
    const colour = chance.unit() < 0.5 ? '#fff' : '#40301c';
    return `<ellipse cx="${(chance.unit() * FRAME.width).toFixed(1)}" cy="${y.toFixed(1)}" rx="${(size * 1.6).toFixed(1)}" ry="${(size * 0.7).toFixed(1)}" fill="${colour}" opacity=".16"/>`;
  }).join('');
  const track = (near: number, far: number): string =>
    `<path d="M${near} ${FRAME.height + 6}Q${near * 0.6 + far * 0.4} ${horizon + depth * 0.4} ${far} ${horizon + 6}" stroke="#4a3721" stroke-width="9" stroke-dasharray="7 4" fill="none" opacity=".2"/>`;
  const near = chance.between(40, 400);
  const far = chance.between(120, 360);
  const puddle = `<ellipse cx="${chance.between(60, 420)}" cy="${chance.between(horizon + 90, 340)}" rx="${chance.between(28, 64)}" ry="${chance.between(5, 11)}" fill="#8fb3cf" opacity=".55"/>`;
  return `<rect x="0" y="${horizon}" width="${FRAME.width}" height="${depth}" fill="url(#ground)"/>${track(near, far)}${track(near + 70, far + 16)}${stones}${puddle}`;
}

function fence(chance: Chance, { horizon, palette }: Site): string {
  const from = chance.between(-60, 200);
  const panels = chance.int(4, 9);
  const top = horizon + 2;
  const colour = chance.pick(['#dfe5ea', '#e8b54a', palette.net, '#7fa3c4']);
  return Array.from({ length: panels }, (_, index) => {
    const x = from + index * 44;
    return (
      `<rect x="${x}" y="${top}" width="42" height="30" fill="${colour}" opacity=".92"/><rect x="${x}" y="${top + 12}" width="42" height="5" fill="#fff" opacity=".5"/>` +
      `<rect x="${x - 2}" y="${top - 3}" width="3" height="37" fill="#6a6f75"/>`
    );
  }).join('');
}

function building(chance: Chance, { horizon, palette, building: shape }: Site): string {
  const base = buildingBase(horizon);
  const { left, width, floors, floorHeight } = shape;
  const floor = (index: number): string => {
    const y = base - (index + 1) * floorHeight;
    const back = `<rect x="${left + 6}" y="${y}" width="${width - 12}" height="${floorHeight}" fill="#4d4a48" opacity=".78"/>`;
    const walls = Array.from({ length: 5 }, (_, bay) =>
      bayArt(chance, palette, { x: left + 8 + (bay * (width - 16)) / 5, y, width: (width - 16) / 5, height: floorHeight }),
    ).join('');
    const columns = Array.from(
      { length: 4 },
      (_, column) => `<rect x="${left + 4 + (column * (width - 20)) / 3}" y="${y}" width="11" height="${floorHeight}" fill="url(#wall)"/>`,
    ).join('');
    return `${back}${walls}${columns}<rect x="${left - 4}" y="${y + floorHeight - 6}" width="${width + 8}" height="9" fill="${palette.wall}"/>`;
  };
  const storeys = Array.from({ length: floors }, (_, index) => floor(index)).join('');
  const roof = `<rect x="${left - 4}" y="${base - floors * floorHeight - 6}" width="${width + 8}" height="9" fill="${palette.wall}"/>`;
  return storeys + roof + scaffold(palette, { left, width, floors, floorHeight, base });
}

function bayArt(chance: Chance, palette: Palette, bay: { x: number; y: number; width: number; height: number }): string {
  const kind = chance.unit();
  if (kind < 0.3)
    return `<rect x="${bay.x}" y="${bay.y}" width="${bay.width}" height="${bay.height}" fill="${palette.net}" opacity=".45"/>`;
  if (kind < 0.55) {
    const rows = Array.from({ length: 5 }, (_, row) => `M${bay.x} ${bay.y + bay.height - row * 6}h${bay.width}`).join('');
    return `<rect x="${bay.x}" y="${bay.y + bay.height * 0.45}" width="${bay.width}" height="${bay.height * 0.55}" fill="#b5654a"/><path d="${rows}" stroke="#8d4a35" stroke-width="1"/>`;
  }
  return '';
}

function scaffold(palette: Palette, shape: { left: number; width: number; floors: number; floorHeight: number; base: number }): string {
  const { left, width, floors, floorHeight, base } = shape;
  const top = base - floors * floorHeight - 22;
  const poles = Array.from({ length: 6 }, (_, pole) => `M${left - 8 + (pole * (width + 16)) / 5} ${top}V${base + 6}`).join('');
  const braces = Array.from({ length: floors }, (_, index) => {
    const y = base - index * floorHeight;
    return `M${left - 8} ${y}L${left - 8 + (width + 16) / 5} ${y - floorHeight}M${left + width + 8} ${y}L${left + width + 8 - (width + 16) / 5} ${y - floorHeight}`;
  }).join('');
  const planks = Array.from({ length: floors }, (_, index) => {
    const y = base - (index + 1) * floorHeight;
    return `<rect x="${left - 12}" y="${y}" width="${width + 24}" height="5" fill="#c99a5b"/><path d="M${left - 10} ${y - 17}h${width + 20}" stroke="${palette.steel}" stroke-width="1.6"/>`;
  }).join('');
  return `<path d="${poles}" stroke="${palette.steel}" stroke-width="3" fill="none"/><path d="${braces}" stroke="${palette.steel}" stroke-width="1.6" fill="none"/>${planks}`;
}

function heaps(chance: Chance, { horizon }: Site): string {
  return Array.from({ length: chance.int(1, 3) }, () => {
    const x = chance.between(-30, FRAME.width);
    const foot = chance.between(horizon + 44, horizon + 100);
    const width = chance.between(60, 130);
    const height = width * chance.between(0.28, 0.42);
    return `<path d="M${x} ${foot}Q${x + width * 0.3} ${foot - height * 1.1} ${x + width * 0.52} ${foot - height}Q${x + width * 0.8} ${foot - height * 0.8} ${x + width} ${foot}Z" fill="url(#pile)"/>`;
  }).join('');
}

import { chanceOf } from './chance.ts';
import type { Chance } from './chance.ts';
import { lookOf } from './look.ts';
import type { Look, Pack } from './look.ts';

/** Frame size that the geometry below is written in; other sizes are scaled from it. */
export const FRAME = { width: 480, height: 360 } as const;

/** People of one camera's crew. Every slot walks one of them at a time. */
const CREW = 14;
const SLOTS_MIN = 3;
const SLOTS_MAX = 8;

export interface Prop {
  readonly pack: Pack;
  readonly icon: string;
  readonly x: number;
  /** Where it stands on the ground, px from the top. */
  readonly footY: number;
  readonly height: number;
  readonly flip: boolean;
}

/** A scaffold deck that people can stand on. */
export interface Deck {
  readonly y: number;
  readonly left: number;
  readonly right: number;
}

export interface Palette {
  readonly ground: readonly [near: string, far: string];
  readonly wall: string;
  readonly steel: string;
  readonly net: string;
  readonly skyline: string;
}

/** Everything about a camera's view that does not move. */
export interface Site {
  readonly horizon: number;
  readonly sunPhase: number;
  readonly palette: Palette;
  readonly building: { readonly left: number; readonly width: number; readonly floors: number; readonly floorHeight: number };
  readonly decks: readonly Deck[];
  readonly crane: { readonly x: number; readonly height: number; readonly flip: boolean };
  readonly props: readonly Prop[];
  readonly crew: readonly Look[];
  readonly slots: number;
  readonly artSeed: number;
}

const PALETTES: readonly Palette[] = [
  { ground: ['#b08d62', '#d2b78d'], wall: '#b9b4aa', steel: '#7c6a58', net: '#5f9e73', skyline: '#9db2c6' },
  { ground: ['#8f8778', '#bcb5a5'], wall: '#a5adb3', steel: '#5d6b78', net: '#4d7fb0', skyline: '#a9b4bd' },
  { ground: ['#a9744f', '#cfa681'], wall: '#c7b299', steel: '#8a5a3c', net: '#c9803a', skyline: '#b6aec0' },
  { ground: ['#7f8c5a', '#b6b98a'], wall: '#bdbbb3', steel: '#6e7160', net: '#6b8f4e', skyline: '#9cb8b0' },
];

/** Things that stand about: what they are, how tall beside a person (1 = a person's height), and from which packs. */
const STANDING: readonly { readonly icon: string; readonly tall: number; readonly packs: readonly Pack[] }[] = [
  { icon: 'tractor', tall: 1.5, packs: ['noto', 'twemoji'] },
  { icon: 'delivery-truck', tall: 1.7, packs: ['noto', 'twemoji', 'fluent-emoji-flat'] },
  { icon: 'articulated-lorry', tall: 1.7, packs: ['noto', 'twemoji'] },
  { icon: 'oil-drum', tall: 0.62, packs: ['noto', 'twemoji', 'fluent-emoji-flat'] },
  { icon: 'construction', tall: 0.62, packs: ['noto', 'twemoji', 'fluent-emoji-flat'] },
  { icon: 'construction', tall: 0.62, packs: ['noto', 'twemoji', 'fluent-emoji-flat'] },
  { icon: 'brick', tall: 0.5, packs: ['noto', 'twemoji', 'fluent-emoji-flat'] },
  { icon: 'wood', tall: 0.42, packs: ['noto', 'twemoji', 'fluent-emoji-flat'] },
  { icon: 'bucket', tall: 0.36, packs: ['noto', 'twemoji', 'fluent-emoji-flat'] },
  { icon: 'toolbox', tall: 0.36, packs: ['noto', 'twemoji', 'fluent-emoji-flat'] },
  { icon: 'ladder', tall: 1.3, packs: ['noto', 'twemoji'] },
];

/** Height in px of a person whose feet stand at `footY` on the ground: the camera hangs a little above head height. */
export function personHeight(footY: number, horizon: number): number {
  return (footY - horizon) * 0.9;
}

export function siteOf(seed: number, camera: string): Site {
  const chance = chanceOf('site', seed, camera);
  const horizon = chance.between(96, 130);
  const building = {
    left: chance.between(-40, 260),
    width: chance.between(180, 280),
    floors: chance.int(2, 4),
    floorHeight: chance.between(50, 60),
  };
  return {
    horizon,
    sunPhase: chance.unit(),
    palette: chance.pick(PALETTES),
    building,
    decks: decksOf(building, horizon),
    crane: { x: chance.between(0, FRAME.width - 150), height: chance.between(110, 170), flip: chance.unit() < 0.5 },
    props: propsOf(chance, horizon),
    crew: Array.from({ length: CREW }, () => lookOf(chance)),
    slots: chance.int(SLOTS_MIN, SLOTS_MAX),
    artSeed: chance.int(0, 2 ** 31),
  };
}

/** The ground floor stands behind the horizon's edge; decks are the floors above it that the frame shows. */
function decksOf(building: Site['building'], horizon: number): Deck[] {
  const base = buildingBase(horizon);
  return Array.from({ length: building.floors }, (_, floor) => base - (floor + 1) * building.floorHeight)
    .filter((y) => y > 40)
    .map((y) => ({ y, left: building.left + 8, right: building.left + building.width - 8 }));
}

/** Where the building meets the ground, px from the top. */
export function buildingBase(horizon: number): number {
  return horizon + 42;
}

function propsOf(chance: Chance, horizon: number): Prop[] {
  return Array.from({ length: chance.int(4, 7) }, () => {
    const kind = chance.pick(STANDING);
    const footY = kind.tall > 1 ? chance.between(horizon + 60, horizon + 120) : chance.between(horizon + 66, FRAME.height + 18);
    return {
      pack: chance.pick(kind.packs),
      icon: kind.icon,
      x: chance.between(-20, FRAME.width - 20),
      footY,
      height: personHeight(footY, horizon) * kind.tall,
      flip: chance.unit() < 0.5,
    };
  });
}

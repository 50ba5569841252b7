import type { Chance } from './chance.ts';

/** Class ids of the drawn worksite, in the order of `WORKSITE_CLASSES`. */
export const HELMET = 0;
export const HEAD = 1;
export const WORKSITE_CLASSES = ['helmet', 'head'] as const;

export type ClassId = typeof HELMET | typeof HEAD;
export type Pack = 'noto' | 'twemoji' | 'fluent-emoji-flat';

/** How one person looks: the head comes from an emoji, the body is drawn by us. */
export interface Look {
  readonly classId: ClassId;
  readonly pack: Pack;
  readonly icon: string;
  /** Everything of the icon below this share of its height is shoulders and is cut away (1 keeps all). */
  readonly cutBelow: number;
  readonly vest: string | null;
  readonly shirt: string;
  readonly trousers: string;
  readonly skin: string;
}

const SKINS = [
  { long: '', short: '', colour: '#ffca28' },
  { long: '-light-skin-tone', short: '-light', colour: '#f9ddbd' },
  { long: '-medium-light-skin-tone', short: '-medium-light', colour: '#e0bb95' },
  { long: '-medium-skin-tone', short: '-medium', colour: '#bf8f68' },
  { long: '-medium-dark-skin-tone', short: '-medium-dark', colour: '#9b643d' },
  { long: '-dark-skin-tone', short: '-dark', colour: '#70534a' },
] as const;

const WHO = ['construction-worker', 'man-construction-worker', 'woman-construction-worker'] as const;
const HELMET_CUT: Record<Pack, number> = { noto: 0.75, twemoji: 0.72, 'fluent-emoji-flat': 0.6 };

interface BareHead {
  readonly who: 'man' | 'woman' | 'person';
  readonly style: '' | '-beard' | '-bald' | '-curly-hair' | '-red-hair' | '-white-hair' | '-blond-hair';
  readonly cut: number;
}

const WHOLE = 1;
/** Noto draws some bare heads with shoulders; they start at this share of the icon. */
const NOTO_SHOULDERS = 0.76;

const NOTO_HEADS: readonly BareHead[] = [
  { who: 'man', style: '', cut: WHOLE },
  { who: 'person', style: '', cut: WHOLE },
  { who: 'woman', style: '', cut: WHOLE },
  { who: 'man', style: '-beard', cut: WHOLE },
  { who: 'man', style: '-bald', cut: NOTO_SHOULDERS },
  { who: 'man', style: '-curly-hair', cut: NOTO_SHOULDERS },
  { who: 'man', style: '-white-hair', cut: NOTO_SHOULDERS },
  { who: 'woman', style: '-red-hair', cut: NOTO_SHOULDERS },
  { who: 'woman', style: '-curly-hair', cut: NOTO_SHOULDERS },
  { who: 'person', style: '-blond-hair', cut: NOTO_SHOULDERS },
];
const PLAIN_HEADS: readonly BareHead[] = [
  { who: 'man', style: '', cut: WHOLE },
  { who: 'person', style: '', cut: WHOLE },
  { who: 'woman', style: '', cut: WHOLE },
  { who: 'man', style: '-beard', cut: WHOLE },
  { who: 'man', style: '-bald', cut: WHOLE },
  { who: 'man', style: '-curly-hair', cut: WHOLE },
  { who: 'woman', style: '-red-hair', cut: WHOLE },
  { who: 'woman', style: '-curly-hair', cut: WHOLE },
];

const PACKS: readonly Pack[] = ['noto', 'noto', 'noto', 'twemoji', 'twemoji', 'fluent-emoji-flat'];
const VESTS = ['#ff7a1a', '#f4e409', '#c6e80f', '#ff5533', null] as const;
const SHIRTS = ['#3d6fd6', '#2f8f83', '#5a5f6e', '#8b3fa0', '#b5413c', '#e8e3d5', '#28406b'] as const;
const TROUSERS = ['#34405a', '#4a4a4f', '#5b4a36', '#2b3a4d', '#6b6f5a'] as const;
const HELMET_SHARE = 0.58;

/** A person's look. Clothes do not depend on the class: a vest must not give away what is on the head. */
export function lookOf(chance: Chance): Look {
  const pack = chance.pick(PACKS);
  const skin = chance.pick(SKINS);
  const clothes = { vest: chance.pick(VESTS), shirt: chance.pick(SHIRTS), trousers: chance.pick(TROUSERS), skin: skin.colour };
  if (chance.unit() < HELMET_SHARE) {
    return { classId: HELMET, pack, icon: chance.pick(WHO) + tone(pack, skin), cutBelow: HELMET_CUT[pack], ...clothes };
  }
  const bare = chance.pick(pack === 'noto' ? NOTO_HEADS : PLAIN_HEADS);
  const icon = pack === 'fluent-emoji-flat' ? bare.who + bare.style + skin.short : bare.who + skin.long + bare.style;
  return { classId: HEAD, pack, icon, cutBelow: bare.cut, ...clothes };
}

function tone(pack: Pack, skin: (typeof SKINS)[number]): string {
  return pack === 'fluent-emoji-flat' ? skin.short : skin.long;
}

import { chanceOf } from './chance.ts';
import { FRAME, personHeight } from './site.ts';
import type { Site } from './site.ts';
import type { Look } from './look.ts';

export const POSES = ['stand', 'step-left', 'step-right', 'carry'] as const;
export type Pose = (typeof POSES)[number];

/** One person in one frame. */
export interface Figure {
  /** Unique within the frame, from 1. */
  readonly id: number;
  readonly look: Look;
  readonly crewIndex: number;
  readonly pose: Pose;
  readonly flip: boolean;
  /** Middle of the body, px from the left. */
  readonly x: number;
  readonly footY: number;
  readonly height: number;
  /** On the ground people throw a shadow; on a deck they do not. */
  readonly onGround: boolean;
}

const SHIFT_TICKS_MIN = 70;
const SHIFT_TICKS_MAX = 160;
const PRESENT_SHARE = 0.78;
const DECK_SHARE = 0.22;
const STANDING_SHARE = 0.3;
const STEP_TICKS = 3;
const DECK_PERSON_SHARE = 0.86;

/**
 * Who is where at a tick. Each slot lives in shifts: one person comes, walks or works, and goes.
 * Everything follows from (seed, camera, tick), so any tick can be drawn without the ones before.
 */
export function figuresAt(site: Site, seed: number, camera: string, tick: number): Figure[] {
  return Array.from({ length: site.slots }, (_, slot) => figureOf(site, `${seed}/${camera}/${slot}`, slot, tick)).filter(
    (figure) => figure !== null,
  );
}

function figureOf(site: Site, key: string, slot: number, tick: number): Figure | null {
  const rhythm = chanceOf('rhythm', key);
  const length = rhythm.int(SHIFT_TICKS_MIN, SHIFT_TICKS_MAX);
  const moved = tick + rhythm.int(0, length);
  const shift = Math.floor(moved / length);
  const chance = chanceOf('shift', key, shift);
  if (slot > 0 && chance.unit() > PRESENT_SHARE) return null;
  const progress = (moved % length) / length;
  const crewIndex = chance.int(0, site.crew.length - 1);
  const who = { id: slot + 1, look: site.crew[crewIndex]!, crewIndex };
  const deck = chance.unit() < DECK_SHARE && site.decks.length > 0 ? chance.pick(site.decks) : null;
  if (deck) {
    const height = site.building.floorHeight * DECK_PERSON_SHARE;
    const from = chance.between(deck.left + 12, deck.right - 12);
    const to = chance.between(deck.left + 12, deck.right - 12);
    return { ...who, ...gait(from, to, progress, tick), footY: deck.y, height, onGround: false };
  }
  const footY = depthOf(chance.unit(), site.horizon);
  const height = personHeight(footY, site.horizon);
  const margin = height * 0.2;
  if (slot === 0 || chance.unit() < STANDING_SHARE) {
    const at = chance.between(0.06, 0.94) * FRAME.width;
    return { ...who, ...gait(at, at + chance.between(-50, 50), progress, tick), footY, height, onGround: true };
  }
  const [from, to] = chance.unit() < 0.5 ? [-margin, FRAME.width + margin] : [FRAME.width + margin, -margin];
  return { ...who, ...gait(from, to, progress, tick), footY: footY + (chance.unit() - 0.5) * 24 * progress, height, onGround: true };
}

/** Most people are in the middle distance; some are near enough to be cut off below. */
function depthOf(unit: number, horizon: number): number {
  return horizon + 62 + unit ** 1.6 * 200;
}

function gait(from: number, to: number, progress: number, tick: number): Pick<Figure, 'x' | 'pose' | 'flip'> {
  const walking = Math.abs(to - from) > 60;
  const stride = Math.floor(tick / STEP_TICKS) % 4;
  const pose = walking ? (['step-left', 'stand', 'step-right', 'stand'] as const)[stride]! : Math.abs(to - from) > 25 ? 'carry' : 'stand';
  return { x: from + (to - from) * progress, pose, flip: to < from };
}

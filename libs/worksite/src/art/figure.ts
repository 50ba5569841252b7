import type { Look } from '../domain/look.ts';
import type { Pose } from '../domain/walk.ts';

/** The drawn body: feet on the lower edge, the collar at `COLLAR_Y`, in units of the view box. */
export const BODY = { width: 110, height: 200, collarY: 6 } as const;
/** Height of a bare head in body units; a hard hat adds to it. */
export const HEAD_HEIGHT = 70;
export const HELMET_HEIGHT = 78;
/** The chin hangs this far below the collar. */
export const CHIN_OVERLAP = 8;

const LEGS: Record<Pose, readonly [left: number, right: number]> = {
  stand: [-4, 4],
  'step-left': [-17, 14],
  'step-right': [12, -15],
  carry: [-6, 6],
};
const ARMS: Record<Pose, readonly [left: number, right: number]> = {
  stand: [9, -9],
  'step-left': [-20, 24],
  'step-right': [24, -20],
  carry: [-48, 48],
};

export function bodySvg(look: Look, pose: Pose, pixelsHigh: number): string {
  const width = Math.round((pixelsHigh * BODY.width) / BODY.height);
  const [leftLeg, rightLeg] = LEGS[pose];
  const [leftArm, rightArm] = ARMS[pose];
  const parts = [
    leg(45, leftLeg, look.trousers),
    leg(65, rightLeg, look.trousers),
    arm(27, leftArm, look, 'left'),
    arm(83, rightArm, look, 'right'),
    `<rect x="48" y="0" width="14" height="14" rx="5" fill="${look.skin}"/>`,
    torso(look),
    pose === 'carry'
      ? '<rect x="22" y="70" width="66" height="30" rx="3" fill="#a8733f"/><path d="M22 80h66M22 90h66" stroke="#84562b" stroke-width="2"/>'
      : '',
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${BODY.width} ${BODY.height}" width="${width}" height="${pixelsHigh}">${parts.join('')}</svg>`;
}

function leg(x: number, degrees: number, colour: string): string {
  return (
    `<g transform="rotate(${-degrees} ${x} 108)"><rect x="${x - 10}" y="104" width="20" height="84" rx="7" fill="${colour}"/>` +
    `<path d="M${x - 11} 183h20q7 1 7 15h-27z" fill="#2a2622"/></g>`
  );
}

function arm(x: number, degrees: number, look: Look, side: 'left' | 'right'): string {
  const edge = side === 'left' ? x - 8 : x - 7;
  const cuff = look.vest ? `<rect x="${edge}" y="52" width="15" height="6" fill="#eef3d0" opacity=".85"/>` : '';
  return (
    `<g transform="rotate(${degrees} ${x} 22)"><rect x="${edge}" y="16" width="15" height="68" rx="7" fill="${look.shirt}"/>${cuff}` +
    `<circle cx="${edge + 7.5}" cy="86" r="8" fill="${look.skin}"/></g>`
  );
}

function torso(look: Look): string {
  const shape = 'M34 8Q55 2 76 8Q88 12 88 30L84 114Q55 120 26 114L22 30Q22 12 34 8Z';
  const shirt = `<path d="${shape}" fill="${look.shirt}"/><path d="M47 5Q55 20 63 5" fill="${look.skin}"/>`;
  if (!look.vest) return `${shirt}<path d="M55 14V112" stroke="#0003" stroke-width="2"/>`;
  const vest = 'M33 9L45 6L55 40L65 6L77 9Q86 13 86 30L83 113Q55 118 27 113L24 30Q24 13 33 9Z';
  return (
    `${shirt}<path d="${vest}" fill="${look.vest}"/><path d="M33 9h9v104h-9zM68 9h9v104h-9z" fill="#f1f4de"/>` +
    `<path d="M25 74Q55 80 85 74v11Q55 91 26 85z" fill="#f1f4de"/><path d="M55 40V114" stroke="#0004" stroke-width="2"/>`
  );
}

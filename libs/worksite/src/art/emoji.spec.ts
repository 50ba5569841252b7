import { describe, expect, it } from '@jest/globals';
import { chanceOf } from '../domain/chance.ts';
import { HEAD, HELMET, lookOf } from '../domain/look.ts';
import { siteOf } from '../domain/site.ts';
import { emojiSvg } from './emoji.ts';

describe('emoji art', () => {
  it('has an icon for every look that chance can deal, of both classes', () => {
    const chance = chanceOf('looks');
    const looks = Array.from({ length: 4000 }, () => lookOf(chance));
    for (const look of looks) expect(emojiSvg(look, 32)).toContain('<svg');
    expect(new Set(looks.map((look) => look.classId))).toEqual(new Set([HELMET, HEAD]));
    expect(new Set(looks.map((look) => `${look.pack}/${look.icon}`)).size).toBeGreaterThan(150);
  });

  it('has an icon for everything that stands about', () => {
    const props = Array.from({ length: 300 }, (_, camera) => siteOf(1, `cam${camera}`).props).flat();
    for (const prop of props) expect(emojiSvg(prop, 32)).toContain('<svg');
    expect(new Set(props.map((prop) => prop.icon)).size).toBeGreaterThan(8);
  });

  it('names the pack and the icon that is missing', () => {
    expect(() => emojiSvg({ pack: 'noto', icon: 'no-such-icon' }, 32)).toThrow(
      expect.objectContaining({ name: 'UnknownIcon', pack: 'noto', icon: 'no-such-icon' }),
    );
  });
});

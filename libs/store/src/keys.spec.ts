import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { contentKey, digestFromChecksum, checksumOf, digestOf, InvalidObjectKeyError, keyOf, sampleKey, samplePrefix } from './index.ts';

describe('object keys', () => {
  it('keeps a sample below the prefix that its node may write', () => {
    const id = 'a'.repeat(64);
    expect(sampleKey('n1', 'base', id)).toBe(`n1/base/${id}.jpg`);
    expect(sampleKey('n1', 'base', id).startsWith(samplePrefix('n1', 'base'))).toBe(true);
    expect(sampleKey('n11', 'base', id).startsWith(samplePrefix('n1', 'base'))).toBe(false);
  });

  it.each(['', '.', '..', 'a/b', 'a\\b', 'ä', 'a b', '%2e', 'x'.repeat(201)])('refuses the segment %j', (segment) => {
    expect(() => keyOf('ok', segment)).toThrow(InvalidObjectKeyError);
  });

  it('never builds a key that a server would fold into another', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 6 }), { maxLength: 4 }), (segments) => {
        const key = built(segments);
        if (key === undefined) return;
        expect(key.split('/')).toEqual(segments);
        expect(new URL(`/${key}`, 'http://x').pathname).toBe(`/${key}`);
      }),
    );
  });

  it('names bytes by their hash', () => {
    const digest = digestOf('abc');
    expect(digest).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(contentKey('snapshots', digest, 'json')).toBe(`snapshots/${digest.slice(7)}.json`);
    expect(digestFromChecksum(checksumOf(digest))).toBe(digest);
  });
});

function built(segments: readonly string[]): string | undefined {
  try {
    return keyOf(...segments);
  } catch {
    return undefined;
  }
}

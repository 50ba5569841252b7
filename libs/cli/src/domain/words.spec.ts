import { describe, expect, it } from '@jest/globals';
import { counted, cutTo } from './words.ts';

describe('words of the command line', () => {
  it('count one and many', () => {
    expect([0, 1, 2].map((count) => counted(count, 'node'))).toEqual(['0 nodes', '1 node', '2 nodes']);
    expect(counted(2, 'box', 'boxes')).toBe('2 boxes');
  });

  it('fit into a column, and are left alone where they do', () => {
    expect(cutTo('abcdef', 6)).toBe('abcdef');
    expect(cutTo('abcdefg', 6)).toBe('abcde…');
    expect(cutTo('abcd efg', 6)).toBe('abcd…');
  });
});

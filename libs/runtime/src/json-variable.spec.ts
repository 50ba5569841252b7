import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { readConfig } from './config.ts';
import { jsonVariable } from './json-variable.ts';

const Config = z.object({ PLAN: jsonVariable(z.object({ total: z.int().default(3), rules: z.array(z.string()).default([]) })) });
const read = (plan?: string) => readConfig('a program', Config, { PLAN: plan }).PLAN;

describe('a variable that holds JSON', () => {
  it('is read by its schema, defaults included', () => {
    expect(read('{"rules": ["dark"]}')).toEqual({ total: 3, rules: ['dark'] });
  });

  it('falls back when unset or empty', () => {
    expect([read(), read('')]).toEqual([
      { total: 3, rules: [] },
      { total: 3, rules: [] },
    ]);
    const listed = z.object({ LIST: jsonVariable(z.array(z.int()), '[1, 2]') });
    expect(readConfig('a program', listed, {}).LIST).toEqual([1, 2]);
  });

  it('names the variable and the place inside it that does not fit', () => {
    expect(() => read('{"total": "many"}')).toThrow(/PLAN\.total: /);
    expect(() => read('{"rules": ["dark", 4]}')).toThrow(/PLAN\.rules\.1: /);
  });

  it('says once that text is no JSON', () => {
    expect(() => read('{total: 3}')).toThrow(expect.objectContaining({ problems: [expect.stringMatching(/^PLAN: is no JSON \(.+\)$/)] }));
  });
});

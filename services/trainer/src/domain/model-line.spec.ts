import { describe, expect, it } from '@jest/globals';
import { LINE_KEPT_MAX, NEW_LINE, VersionForgottenError, giveVersion, importRunIdOf, requiredVersionOf } from './model-line.ts';
import type { ModelLine } from './model-line.ts';

const after = (...runIds: string[]): ModelLine => runIds.reduce(giveVersion, NEW_LINE);
const others = (count: number): string[] => Array.from({ length: count }, (_, index) => `other-${index}`);

describe('the versions of a model line', () => {
  it('go up by one with each run, and stay with their runs', () => {
    const line = after('a', 'b', 'a', 'c', 'b');
    expect(['a', 'b', 'c'].map((runId) => requiredVersionOf(line, runId))).toEqual(['v1', 'v2', 'v3']);
  });

  it('are remembered for as many runs as are kept, and told to be forgotten after that', () => {
    expect(requiredVersionOf(after('old', ...others(LINE_KEPT_MAX - 1)), 'old')).toBe('v1');
    const line = after('old', ...others(LINE_KEPT_MAX));
    expect(() => requiredVersionOf(line, 'old')).toThrow(VersionForgottenError);
    expect(requiredVersionOf(line, `other-${LINE_KEPT_MAX - 1}`)).toBe(`v${LINE_KEPT_MAX + 1}`);
  });

  it('are never made up for a run that was given none', () => {
    expect(() => requiredVersionOf(NEW_LINE, 'run-1')).toThrow('run-1 has no version');
  });
});

describe('the runs that import one model', () => {
  it('have names of their own, made of its digest', () => {
    const digest = `sha256:${'ab'.repeat(32)}`;
    expect([importRunIdOf(digest, 1), importRunIdOf(digest, 2)]).toEqual(['run-import-abababababababab', 'run-import-abababababababab-2']);
  });
});

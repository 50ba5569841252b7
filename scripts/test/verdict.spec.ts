import { describe, expect, it } from '@jest/globals';
// @ts-expect-error plain JavaScript without types
import { closingLine, together, verdictOf } from './verdict.mjs';

const results = (numbers: object): object => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numRuntimeErrorTestSuites: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  ...numbers,
});

describe('verdict of a test run', () => {
  it('is good only when tests passed, none failed and Jest was content', () => {
    expect(verdictOf(results({ numPassedTests: 3 }), 0)).toMatchObject({ passed: 3, failed: 0, exitCode: 0 });
  });

  it('is bad when no test ran, whatever Jest says', () => {
    expect(verdictOf(results({ numPendingTests: 2 }), 0)).toMatchObject({ exitCode: 1, why: expect.stringContaining('No test ran') });
  });

  it('counts a suite that could not be loaded as a failure', () => {
    expect(verdictOf(results({ numPassedTests: 9, numRuntimeErrorTestSuites: 1 }), 1)).toMatchObject({ failed: 1, exitCode: 1 });
  });

  it('is bad when Jest left no results', () => {
    expect(verdictOf(undefined, 0)).toMatchObject({ passed: 0, failed: 0, exitCode: 1 });
    expect(verdictOf(undefined, 137)).toMatchObject({ exitCode: 137 });
  });

  it('passes on a bad status without failed tests, such as a coverage threshold', () => {
    expect(verdictOf(results({ numPassedTests: 1 }), 2)).toMatchObject({ exitCode: 2 });
  });

  it('closes with one plain line', () => {
    expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
    expect(closingLine({ passed: 12, failed: 1, skipped: 2 })).toBe('12 passed, 1 failed, 2 skipped');
  });
});

describe('several runs together', () => {
  const good = { passed: 3, failed: 0, skipped: 1, exitCode: 0 };

  it('add up', () => {
    expect(together([good, { ...good, passed: 2 }])).toEqual({ passed: 5, failed: 0, skipped: 2, exitCode: 0 });
  });

  it('are bad when one is, with its reason', () => {
    expect(together([good, { ...good, failed: 1, exitCode: 1, why: 'because' }])).toMatchObject({ failed: 1, exitCode: 1, why: 'because' });
  });
});

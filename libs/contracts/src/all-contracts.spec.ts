import { describe, expect, it } from '@jest/globals';
import { ALL_CONTRACTS } from './all-contracts.ts';
import { type Contract, patternOf, typeId } from './contract.ts';
import { STREAMS } from './streams.ts';

/** Whether a stream's subject takes in everything that the pattern can be. */
function covers(subject: string, pattern: string): boolean {
  const wanted = subject.split('.');
  const actual = pattern.split('.');
  if (wanted.at(-1) === '>') return wanted.slice(0, -1).every((token, index) => token === '*' || token === actual[index]);
  return wanted.length === actual.length && wanted.every((token, index) => token === '*' || token === actual[index]);
}

const streamsOf = (contract: Contract): string[] =>
  STREAMS.filter((stream) => stream.subjects.some((subject) => covers(subject, patternOf(contract)))).map((stream) => stream.name);

describe('all contracts', () => {
  it('have a type and a subject of their own', () => {
    expect(new Set(ALL_CONTRACTS.map(typeId)).size).toBe(ALL_CONTRACTS.length);
    expect(new Set(ALL_CONTRACTS.map(patternOf)).size).toBe(ALL_CONTRACTS.length);
  });

  it.each(ALL_CONTRACTS.map((contract) => [typeId(contract), contract] as const))(
    '%s lies in its stream and in no other',
    (_type, contract) => {
      expect(streamsOf(contract)).toEqual(contract.kind === 'event' ? [contract.stream] : []);
    },
  );
});

import { describe, expect, it } from '@jest/globals';
import { killsItsHandler, type Outcome, type Settlement, settlementOf } from './settlement.ts';

class Permanent extends Error {
  readonly retryable = false;
}

const FACTS = { deliveries: 1, deliveriesMax: 3, chance: 0 };

function given(facts: Partial<typeof FACTS>): { when(outcome: Outcome): { yields(settlement: Settlement): void } } {
  return { when: (outcome) => ({ yields: (settlement) => expect(settlementOf(outcome, { ...FACTS, ...facts })).toEqual(settlement) }) };
}

const handled: Outcome = { kind: 'handled' };
const handedBack: Outcome = { kind: 'handed-back' };
const failed = (cause: unknown): Outcome => ({ kind: 'failed', cause });
const unreadable = (cause: unknown): Outcome => ({ kind: 'unreadable', cause });

describe('the settlement table', () => {
  it('acknowledges what was handled, at any delivery', () => {
    given({}).when(handled).yields({ do: 'ack' });
    given({ deliveries: 99 }).when(handled).yields({ do: 'ack' });
  });

  it('delivers again, later each time, what failed', () => {
    given({ deliveries: 1 })
      .when(failed(new Error('x')))
      .yields({ do: 'retry', delayMs: 250 });
    given({ deliveries: 2 })
      .when(failed(new Error('x')))
      .yields({ do: 'retry', delayMs: 500 });
    given({ deliveries: 2, chance: 0.999 })
      .when(failed(new Error('x')))
      .yields({ do: 'retry', delayMs: 1000 });
    given({ deliveries: 7, deliveriesMax: 99 })
      .when(failed(new Error('x')))
      .yields({ do: 'retry', delayMs: 15_000 });
  });

  it('buries what failed at its last delivery, not one before', () => {
    given({ deliveries: 2 })
      .when(failed(new Error('x')))
      .yields({ do: 'retry', delayMs: 500 });
    given({ deliveries: 3 })
      .when(failed(new Error('x')))
      .yields({ do: 'bury', reason: 'failed 3 times, at last: x' });
    given({ deliveries: 4 })
      .when(failed(new Error('x')))
      .yields({ do: 'bury', reason: 'failed 4 times, at last: x' });
  });

  it('buries at once what another try cannot mend, whatever it is called', () => {
    given({})
      .when(failed(new Permanent('no')))
      .yields({ do: 'bury', reason: 'no' });
    given({})
      .when(failed({ message: 'no', retryable: false }))
      .yields({ do: 'bury', reason: 'no' });
  });

  it('takes anything else for mendable: a thrown string, nothing at all, an error that says so', () => {
    given({}).when(failed('words')).yields({ do: 'retry', delayMs: 250 });
    given({}).when(failed(undefined)).yields({ do: 'retry', delayMs: 250 });
    given({})
      .when(failed({ retryable: true }))
      .yields({ do: 'retry', delayMs: 250 });
  });

  it('buries at once what cannot be read', () => {
    given({})
      .when(unreadable(new Error('no JSON')))
      .yields({ do: 'bury', reason: 'no JSON' });
  });

  it('hands back what a stopping program did not finish, even at the last delivery', () => {
    given({ deliveries: 3 }).when(handedBack).yields({ do: 'hand-back' });
  });
});

describe('a message that kills its handler', () => {
  it('is one that came more than twice as often as allowed without being settled', () => {
    expect(killsItsHandler({ deliveries: 6, deliveriesMax: 3 })).toBe(false);
    expect(killsItsHandler({ deliveries: 7, deliveriesMax: 3 })).toBe(true);
  });
});

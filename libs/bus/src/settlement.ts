import { backoffMs } from '@edgeloop/runtime';
import { isRetryable, wordsOf } from './errors.ts';
import { CRASHES_MAX_FACTOR, REDELIVERY_BACKOFF } from './limits.ts';

/** How the handling of one delivery ended. */
export type Outcome =
  | { readonly kind: 'handled' }
  | { readonly kind: 'failed'; readonly cause: unknown }
  /** No JSON, unknown type, broken contract, or a body that contradicts its subject. */
  | { readonly kind: 'unreadable'; readonly cause: unknown }
  /** The program stops and the handler did not finish (or did not start). */
  | { readonly kind: 'handed-back' };

export interface DeliveryFacts {
  /** 1 for the first delivery. */
  readonly deliveries: number;
  readonly deliveriesMax: number;
  /** In [0,1). */
  readonly chance: number;
}

export type Settlement =
  | { readonly do: 'ack' }
  /** Deliver again after the delay; its order key waits. */
  | { readonly do: 'retry'; readonly delayMs: number }
  /** Deliver again at once, to whoever is there. */
  | { readonly do: 'hand-back' }
  /** Dead letter first, then terminate. */
  | { readonly do: 'bury'; readonly reason: string };

/** The whole table: what becomes of a message. Nothing else acknowledges, delays or terminates. */
export function settlementOf(outcome: Outcome, facts: DeliveryFacts): Settlement {
  switch (outcome.kind) {
    case 'handled':
      return { do: 'ack' };
    case 'handed-back':
      return { do: 'hand-back' };
    case 'unreadable':
      return { do: 'bury', reason: wordsOf(outcome.cause) };
    case 'failed':
      if (!isRetryable(outcome.cause)) return { do: 'bury', reason: wordsOf(outcome.cause) };
      if (facts.deliveries >= facts.deliveriesMax)
        return { do: 'bury', reason: `failed ${facts.deliveries} times, at last: ${wordsOf(outcome.cause)}` };
      return { do: 'retry', delayMs: backoffMs(facts.deliveries - 1, REDELIVERY_BACKOFF, facts.chance) };
    default:
      return outcome satisfies never;
  }
}

/**
 * A message that comes again and again without ever being settled kills the process that handles it; it is buried before it is read.
 * Hand-backs at shutdown count as deliveries too, hence the factor.
 */
export function killsItsHandler(facts: Pick<DeliveryFacts, 'deliveries' | 'deliveriesMax'>): boolean {
  return facts.deliveries > facts.deliveriesMax * CRASHES_MAX_FACTOR;
}

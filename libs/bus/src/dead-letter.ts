import { DeadLetter, type PayloadOf } from '@edgeloop/contracts';
import type { PublishOptions, PublishReceipt } from './api.ts';
import type { Delivery } from './delivery.ts';
import { headerRecord } from './headers.ts';
import { LETTER_DATA_BYTES_MAX } from './limits.ts';

const REASON_CHARACTERS_MAX = 2_000;

export type DeadLetter = PayloadOf<typeof DeadLetter>;

/** Where a letter comes from. */
export interface LetterOrigin {
  readonly service: string;
  readonly durable: string;
}

export type PublishEvent = (contract: typeof DeadLetter, payload: DeadLetter, options: PublishOptions) => Promise<PublishReceipt>;

/** Stores the letter; only after its receipt may the message be terminated. */
export async function bury(publish: PublishEvent, origin: LetterOrigin, delivery: Delivery, reason: string): Promise<void> {
  const { context } = delivery;
  await publish(DeadLetter, letterOf(origin, delivery, reason), {
    // One letter for each failure of a stored message, however often this is tried.
    id: `dead.${origin.durable}.${delivery.deliveredFrom}.${delivery.sequence}`,
    cause: { id: context.id, correlationId: context.correlationId, traceparent: context.traceparent },
  });
}

/** Bytes that would not fit beside their base64 stay where they are: the stream still holds the original. */
function letterOf(origin: LetterOrigin, delivery: Delivery, reason: string): DeadLetter {
  const { original } = delivery;
  return {
    service: origin.service,
    stream: original.stream,
    streamSequence: original.sequence,
    consumer: origin.durable,
    subject: original.subject,
    deliveries: delivery.deliveries,
    reason: reason.slice(0, REASON_CHARACTERS_MAX),
    headers: headerRecord(original.headers),
    data: original.data.length > LETTER_DATA_BYTES_MAX ? '' : Buffer.from(original.data).toString('base64'),
    at: new Date().toISOString(),
  };
}

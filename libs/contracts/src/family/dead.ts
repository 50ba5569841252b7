import { z } from 'zod';
import { event } from '../contract.ts';
import { Timestamp } from '../values.ts';

export const DeadLetter = event({
  type: 'dead.letter',
  v: 1,
  stream: 'DEAD',
  subject: 'dead.v1.{service}.{stream}',
  says: 'A message that could not be handled: origin, reason, count and the original bytes.',
  payload: z.object({
    service: z.string(),
    stream: z.string(),
    streamSequence: z.int().nonnegative(),
    consumer: z.string(),
    subject: z.string(),
    deliveries: z.int().nonnegative(),
    reason: z.string().max(2000),
    headers: z.record(z.string(), z.string()),
    data: z.string(),
    at: Timestamp,
  }),
});

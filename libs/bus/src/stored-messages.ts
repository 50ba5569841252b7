import { DeliverPolicy, type JetStreamManager, type JsMsg, type OrderedConsumerOptions } from '@nats-io/jetstream';
import { PULL_EXPIRES_MS } from './limits.ts';

export interface StoredRange {
  readonly stream: string;
  readonly subject?: string;
  readonly fromSequence?: number;
  /** Only the newest message of each subject. */
  readonly lastPerSubject?: boolean;
}

const BATCH_MESSAGES = 500;

export function orderedOptions(range: StoredRange): Partial<OrderedConsumerOptions> {
  const filter = range.subject === undefined ? {} : { filter_subjects: range.subject };
  if (range.fromSequence !== undefined)
    return { ...filter, deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: range.fromSequence };
  return { ...filter, deliver_policy: range.lastPerSubject === true ? DeliverPolicy.LastPerSubject : DeliverPolicy.All };
}

/** Reads what a stream holds now, in order, and ends. Survives a restart of the server in between. */
export async function* readStored(manager: JetStreamManager, range: StoredRange): AsyncGenerator<JsMsg> {
  const { state } = await manager.streams.info(range.stream);
  if (state.messages === 0 || state.last_seq < (range.fromSequence ?? 0)) return;
  const consumer = await manager.jetstream().consumers.get(range.stream, orderedOptions(range));
  if ((await consumer.info(true)).num_pending === 0) return;
  const messages = await consumer.consume({ max_messages: BATCH_MESSAGES, expires: PULL_EXPIRES_MS });
  try {
    for await (const message of messages) {
      if (message.seq > state.last_seq) return;
      yield message;
      if (message.seq === state.last_seq || message.info.pending === 0) return;
    }
  } finally {
    await messages.close();
    await consumer.delete().catch(() => false);
  }
}

import type { Bus } from '@edgeloop/bus';
import { STREAMS } from '@edgeloop/contracts';
import { jetstreamManager } from '@nats-io/jetstream';
import type { ConsumerInfo, JetStreamManager } from '@nats-io/jetstream';

/** Messages of the stream that the consumer is to see. */
async function matching(manager: JetStreamManager, { stream_name: stream, config }: ConsumerInfo): Promise<number> {
  const filters = config.filter_subjects ?? [config.filter_subject ?? '>'];
  let messages = 0;
  for (const filter of filters) {
    const { state } = await manager.streams.info(stream, { subjects_filter: filter || '>' });
    messages += Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  }
  return messages;
}

/**
 * Deliveries beyond the first, over all durable consumers: what was delivered in all, less the messages that were delivered at least once
 * (those that match, less those still to come). Telemetry is left out: it may be lost, and never counts.
 */
export async function countRedeliveries(bus: Bus): Promise<number> {
  const manager = await jetstreamManager(bus.connection, { checkAPI: false });
  let redeliveries = 0;
  for (const { name } of STREAMS.filter((stream) => stream.asyncPersistence !== true)) {
    for await (const consumer of manager.consumers.list(name)) {
      const once = (await matching(manager, consumer)) - consumer.num_pending;
      redeliveries += Math.max(0, consumer.delivered.consumer_seq - once);
    }
  }
  return redeliveries;
}

import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiError,
  type JetStreamManager,
  ReplayPolicy,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import { ACK_WAIT_MS } from './limits.ts';

const CONSUMER_EXISTS = [10148, 10013, 10105];
const CONSUMER_NOT_FOUND = 10014;

export interface DurableConsumer {
  readonly stream: string;
  readonly durable: string;
  readonly filters: readonly string[];
  readonly ackPendingMax: number;
  readonly startFrom: 'all' | 'new';
  readonly ackWaitMs?: number;
}

/**
 * Makes the durable consumer, or brings an existing one up to date; replicas may race.
 * A consumer whose position lies behind the end of its stream (the stream lost its tail) would never be given another message:
 * it is made anew from the start, since handlers are idempotent. Returns true when that happened.
 */
export async function ensureConsumer(manager: JetStreamManager, wanted: DurableConsumer): Promise<{ recreated: boolean }> {
  const known = await infoOf(manager, wanted);
  if (known === undefined) await create(manager, wanted);
  else if (await isBeyondItsStream(manager, known)) {
    await manager.consumers.delete(wanted.stream, wanted.durable).catch(() => false);
    await create(manager, { ...wanted, startFrom: 'all' });
    return { recreated: true };
  } else if (isOutdated(known.config, wanted)) await manager.consumers.update(wanted.stream, wanted.durable, changeable(wanted));
  return { recreated: false };
}

async function infoOf(manager: JetStreamManager, wanted: DurableConsumer): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(wanted.stream, wanted.durable);
  } catch (cause) {
    if (cause instanceof JetStreamApiError && cause.code === CONSUMER_NOT_FOUND) return undefined;
    throw cause;
  }
}

async function create(manager: JetStreamManager, wanted: DurableConsumer): Promise<void> {
  try {
    await manager.consumers.add(wanted.stream, {
      durable_name: wanted.durable,
      ack_policy: AckPolicy.Explicit,
      replay_policy: ReplayPolicy.Instant,
      deliver_policy: wanted.startFrom === 'new' ? DeliverPolicy.New : DeliverPolicy.All,
      // The settlement table counts deliveries; the server's own limit would drop a message without a letter.
      max_deliver: -1,
      ...changeable(wanted),
    });
  } catch (cause) {
    if (!(cause instanceof JetStreamApiError) || !CONSUMER_EXISTS.includes(cause.code)) throw cause;
  }
}

function changeable(wanted: DurableConsumer): Pick<ConsumerConfig, 'filter_subjects' | 'ack_wait' | 'max_ack_pending'> {
  return { filter_subjects: [...wanted.filters], ack_wait: nanos(wanted.ackWaitMs ?? ACK_WAIT_MS), max_ack_pending: wanted.ackPendingMax };
}

function isOutdated(config: ConsumerConfig, wanted: DurableConsumer): boolean {
  const target = changeable(wanted);
  const filters = (config.filter_subjects ?? (config.filter_subject === undefined ? [] : [config.filter_subject])).toSorted();
  return (
    config.ack_wait !== target.ack_wait ||
    config.max_ack_pending !== target.max_ack_pending ||
    filters.join() !== [...wanted.filters].toSorted().join()
  );
}

export async function isBeyondItsStream(manager: JetStreamManager, consumer: ConsumerInfo): Promise<boolean> {
  const { state } = await manager.streams.info(consumer.stream_name);
  return consumer.ack_floor.stream_seq > state.last_seq;
}

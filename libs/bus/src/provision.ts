import { STATE_BUCKETS, type StateBucket, type StreamDefinition, STREAMS } from '@edgeloop/contracts';
import {
  DiscardPolicy,
  type JetStreamManager,
  JetStreamApiError,
  PersistMode,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/nats-core';
import { readPatiently } from './reconnection.ts';

const DAY_MS = 86_400_000;
/** Window in which the stream itself drops a repeated id. Handlers never rely on it alone. */
const DUPLICATE_WINDOW_MS = 10 * 60_000;
const STREAM_EXISTS_WITH_OTHER_CONFIG = 10058;
/** `persist_mode` came with server API level 2. */
const PERSIST_MODE_SERVER = { major: 2, minor: 12 };

type WantedStream = Partial<StreamConfig> & { name: string; subjects: string[] };

/** Creates or updates streams and buckets; services that start together may all do it. */
export async function provisionStreams(connection: NatsConnection, manager: JetStreamManager): Promise<void> {
  const serverVersion = connection.info?.version ?? '';
  const wanted = [...STREAMS.map((stream) => streamConfig(stream, serverVersion)), ...STATE_BUCKETS.map(bucketConfig)];
  for (const stream of wanted) await readPatiently(connection, () => ensureStream(manager, stream));
}

export function streamConfig(stream: StreamDefinition, serverVersion: string): WantedStream {
  return {
    name: stream.name,
    subjects: [...stream.subjects],
    description: stream.keeps,
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    max_age: stream.maxAgeDays === undefined ? 0 : nanos(stream.maxAgeDays * DAY_MS),
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
    ...(stream.oncePerSubject ? LEDGER : { discard: DiscardPolicy.Old }),
    ...(stream.asyncPersistence === true && hasPersistMode(serverVersion) ? { persist_mode: PersistMode.Async } : {}),
  };
}

/** The stream itself refuses a second message of a subject, and nobody can take the first away. */
const LEDGER = {
  discard: DiscardPolicy.New,
  discard_new_per_subject: true,
  max_msgs_per_subject: 1,
  deny_delete: true,
  deny_purge: true,
} as const;

export function bucketStream(bucket: StateBucket): string {
  return `KV_${bucket}`;
}

export function bucketSubject(bucket: StateBucket, key: string): string {
  return `$KV.${bucket}.${key}`;
}

/**
 * A key-value bucket as every NATS client knows it, but without direct reads: a read that decides must come from the stream's
 * leader, a replica may still be behind after a restart.
 */
export function bucketConfig(bucket: StateBucket): WantedStream {
  return {
    name: bucketStream(bucket),
    subjects: [bucketSubject(bucket, '>')],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    deny_delete: true,
    allow_rollup_hdrs: true,
    allow_direct: false,
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  };
}

async function ensureStream(manager: JetStreamManager, wanted: WantedStream): Promise<void> {
  try {
    await manager.streams.add(wanted);
  } catch (cause) {
    if (!(cause instanceof JetStreamApiError) || cause.code !== STREAM_EXISTS_WITH_OTHER_CONFIG) throw cause;
    await updateStream(manager, wanted);
  }
}

/** Keeps what cannot change (storage, persist mode) and every subject that is there: an older program must not take a newer one's away. */
async function updateStream(manager: JetStreamManager, wanted: WantedStream): Promise<void> {
  const { config } = await manager.streams.info(wanted.name);
  const { persist_mode: _fixed, storage: _kept, ...changes } = wanted;
  await manager.streams.update(wanted.name, { ...config, ...changes, subjects: joined(config, wanted) });
}

function joined(config: StreamInfo['config'], wanted: WantedStream): string[] {
  return [...new Set([...(config.subjects ?? []), ...wanted.subjects])];
}

function hasPersistMode(serverVersion: string): boolean {
  const [major = 0, minor = 0] = serverVersion.split('.').map(Number);
  return major > PERSIST_MODE_SERVER.major || (major === PERSIST_MODE_SERVER.major && minor >= PERSIST_MODE_SERVER.minor);
}

import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { EngineProcess } from './engine-process.ts';
import { claimDataDir } from './instance.ts';
import { type NatsEngine, startNats } from './nats-engine.ts';
import { type EngineEnvironment, foreignBus, foreignStore, foreignTokens } from './settings.ts';
import { type ObjectStoreEngine, startObjectStore } from './store-engine.ts';

export interface StartEnginesOptions {
  /** Everything the engines keep lies here; one running instance per folder. */
  readonly dataDir: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Leave one out where it is not needed (a test of the bus needs no store). Default: both. */
  readonly only?: 'nats' | 'store';
  /** What the user writes to choose another folder; named where another process works on this one. */
  readonly elsewhere?: string;
}

export interface Engines {
  /** The embedded servers; undefined where the environment names one of its own. */
  readonly nats: NatsEngine | undefined;
  readonly store: ObjectStoreEngine | undefined;
  /** What services need to find the engines, embedded or not. */
  readonly environment: EngineEnvironment;
  /** The embedded engines' processes by name, to be killed and restarted. */
  readonly processes: readonly EngineProcess[];
  /** Stops all, the folder may be used again. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts what the environment does not name: nats-server with its accounts, and the object store with buckets and identities.
 * @throws InstanceRunningError, EngineNotFoundError, EngineStartError, EngineSettingsError
 */
export async function startEngines(options: StartEnginesOptions): Promise<Engines> {
  const env = options.env ?? process.env;
  const dataDir = resolve(options.dataDir);
  const foreign = { bus: foreignBus(env), store: foreignStore(env), tokens: foreignTokens(env) };
  await mkdir(dataDir, { recursive: true });
  const claim = await claimDataDir(dataDir, options.elsewhere);
  const wanted = { nats: options.only !== 'store' && !foreign.bus, store: options.only !== 'nats' && !foreign.store };
  const started = await Promise.allSettled([
    wanted.nats ? startNats({ dataDir, env }) : undefined,
    wanted.store ? startObjectStore({ dataDir, env }) : undefined,
  ]);
  const [nats, store] = started;
  const processes = started.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value.process] : []));
  const stop = once(async () => {
    await Promise.all(processes.map((process) => process.stop()));
    await claim.release();
  });
  const failed = started.find((one) => one.status === 'rejected');
  if (failed || nats.status === 'rejected' || store.status === 'rejected') {
    await stop();
    throw failed?.reason;
  }
  const environment = { ...busVariables(nats.value), ...storeVariables(store.value), ...foreign.bus, ...foreign.store, ...foreign.tokens };
  return { nats: nats.value, store: store.value, environment, processes, stop };
}

function busVariables(nats: NatsEngine | undefined): EngineEnvironment {
  if (!nats) return {};
  return {
    NATS_URL: nats.url,
    NATS_CREDS: nats.identity.coreCredsPath,
    EDGELOOP_NODES_SIGNING_SEED: nats.identity.nodesSigningSeedPath,
    EDGELOOP_JOIN_CREDS: nats.identity.joinCredsPath,
  };
}

function storeVariables(store: ObjectStoreEngine | undefined): EngineEnvironment {
  if (!store) return {};
  return {
    S3_ENDPOINT: store.endpoint,
    S3_REGION: store.region,
    S3_ACCESS_KEY_ID: store.service.accessKeyId,
    S3_SECRET_ACCESS_KEY: store.service.secretAccessKey,
    STS_ENDPOINT: store.stsEndpoint,
    STS_ACCESS_KEY_ID: store.issuer.accessKeyId,
    STS_SECRET_ACCESS_KEY: store.issuer.secretAccessKey,
    STS_ROLE_ARN: store.roleArn,
  };
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= action());
}

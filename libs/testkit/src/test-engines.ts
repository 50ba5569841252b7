import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EngineEnvironment, type Engines, startEngines } from '@edgeloop/engines';
import { credsText, nodeInboxPrefix, nodeUserJwt, parseNodesSigningKey, type NodesSigningKey } from '@edgeloop/trust/node-user';
import { createUser } from '@nats-io/jwt';
import { credsAuthenticator, type NodeConnectionOptions } from '@nats-io/transport-node';

export interface TestEnginesOptions {
  /** Start the object store too (two seconds). Default: only the bus. */
  readonly store?: boolean;
}

/** Real servers of one suite, in a folder of their own. */
export interface TestEngines {
  readonly engines: Engines;
  readonly dataDir: string;
  readonly environment: EngineEnvironment;
  /** Options to connect as a service (account CORE, everything allowed). */
  coreConnectionOptions(): Promise<NodeConnectionOptions>;
  /** Options to connect as a node with a fresh key and exactly a node's rights. */
  nodeConnectionOptions(nodeId: string): Promise<NodeConnectionOptions>;
  /** Options to connect as somebody who wants to be enrolled. */
  joinConnectionOptions(): Promise<NodeConnectionOptions>;
  signingKey(): Promise<NodesSigningKey>;
  stop(): Promise<void>;
}

/** Variables that would point a test at somebody's real servers. */
const FOREIGN = /^(NATS|S3|STS)_|^EDGELOOP_(NODES_SIGNING_SEED|JOIN_CREDS)$/;

/** This process' environment without foreign servers. Engines are found in the repository's own cache, wherever a test is started from. */
export function engineEnvironment(): Record<string, string> {
  const repository = fileURLToPath(new URL('../../..', import.meta.url));
  const kept = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && !FOREIGN.test(entry[0]));
  return { EDGELOOP_HOME: join(repository, '.edgeloop'), ...Object.fromEntries(kept) };
}

/** Starts real servers on free ports in a temporary folder. Call `stop` in `afterAll`. */
export async function testEngines(options: TestEnginesOptions = {}): Promise<TestEngines> {
  const dataDir = await mkdtemp(join(tmpdir(), 'edgeloop-test-'));
  const env = engineEnvironment();
  const engines = await startEngines({ dataDir, env, ...(options.store ? {} : { only: 'nats' as const }) });
  const url = engines.environment.NATS_URL as string;
  const withCreds = async (path: string | undefined): Promise<NodeConnectionOptions> => ({
    servers: url,
    authenticator: credsAuthenticator(await readFile(path as string)),
  });
  const signingKey = async (): Promise<NodesSigningKey> =>
    parseNodesSigningKey(await readFile(engines.environment.EDGELOOP_NODES_SIGNING_SEED as string, 'utf8'));
  return {
    engines,
    dataDir,
    environment: engines.environment,
    signingKey,
    coreConnectionOptions: () => withCreds(engines.environment.NATS_CREDS),
    joinConnectionOptions: async () => ({ ...(await withCreds(engines.environment.EDGELOOP_JOIN_CREDS)), inboxPrefix: '_INBOX_join' }),
    nodeConnectionOptions: async (nodeId) => nodeOptions(url, nodeId, await signingKey()),
    stop: async () => {
      await engines.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function nodeOptions(servers: string, nodeId: string, signingKey: NodesSigningKey): Promise<NodeConnectionOptions> {
  const key = createUser();
  const jwt = await nodeUserJwt({ nodeId, publicKey: key.getPublicKey(), signingKey });
  const creds = credsText(jwt, new TextDecoder().decode(key.getSeed()));
  return {
    servers,
    authenticator: credsAuthenticator(new TextEncoder().encode(creds)),
    inboxPrefix: nodeInboxPrefix(nodeId),
    name: nodeId,
  };
}

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

/** Tests find the installed engines in the repository's own cache, whatever folder they are started from. */
function repositoryHome(): string {
  return join(fileURLToPath(new URL('../../..', import.meta.url)), '.edgeloop');
}

/** Starts real servers on free ports in a temporary folder. Call `stop` in `afterAll`. */
export async function testEngines(options: TestEnginesOptions = {}): Promise<TestEngines> {
  const dataDir = await mkdtemp(join(tmpdir(), 'edgeloop-test-'));
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, EDGELOOP_HOME: process.env.EDGELOOP_HOME ?? repositoryHome() };
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

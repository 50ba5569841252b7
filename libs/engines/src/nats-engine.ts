import { readdir, rm, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanEnvironment } from './clean-environment.ts';
import { type EngineLaunch, EngineProcess, startOnFreePorts } from './engine-process.ts';
import { freePorts } from './free-ports.ts';
import { natsIdentity, type NatsIdentity } from './nats-identity.ts';
import { resolveEngine } from './resolve-engine.ts';
import { SECRET_FILE_MODE, secretFolder } from './secret-files.ts';

const READY_MS = 15_000;
const STOP_MS = 5_000;
const START_TRIES_MAX = 5;
/** Nothing big goes over the bus. */
/** How long a client may take to answer the server's challenge; the server's own two seconds are too short on a starved machine. */
const AUTHENTICATION_SECONDS = 20;
const MAX_PAYLOAD = '1MB';
const MEMORY_STORE_MAX = '256MB';
const FILE_STORE_MAX = '50GB';

export interface NatsOptions {
  readonly dataDir: string;
  /** Fixed client port; without it a free one is taken (and kept over restarts). */
  readonly port?: number;
  readonly logPath?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A running nats-server in operator mode with the accounts SYS, CORE and NODES. */
export interface NatsEngine {
  readonly process: EngineProcess;
  readonly url: string;
  readonly port: number;
  /** Base address of the monitoring pages (`/varz`, `/jsz`). */
  readonly monitoringUrl: string;
  readonly identity: NatsIdentity;
}

/** @throws EngineNotFoundError, EngineStartError, PortInUseError (only when `port` was given) */
export async function startNats(options: NatsOptions): Promise<NatsEngine> {
  const binary = await resolveEngine('nats-server', { env: options.env });
  const folders = await makeFolders(options.dataDir);
  const identity = await natsIdentity(folders.keys, folders.jwt);
  return startOnFreePorts(() => natsOnPorts({ binary, folders, identity, options }), options.port === undefined ? START_TRIES_MAX : 1);
}

interface Folders {
  readonly home: string;
  readonly keys: string;
  readonly jwt: string;
  readonly js: string;
  readonly run: string;
}

async function makeFolders(dataDir: string): Promise<Folders> {
  const home = await secretFolder(join(dataDir, 'nats'));
  const folders = { home, keys: join(home, 'keys'), jwt: join(home, 'jwt'), js: join(home, 'jetstream'), run: join(home, 'run') };
  await Promise.all(Object.values(folders).map(secretFolder));
  return folders;
}

interface NatsPlan {
  readonly binary: string;
  readonly folders: Folders;
  readonly identity: NatsIdentity;
  readonly options: NatsOptions;
}

async function natsOnPorts(plan: NatsPlan): Promise<NatsEngine> {
  const [port = 0, monitoringPort = 0] =
    plan.options.port === undefined ? await freePorts(2) : [plan.options.port, ...(await freePorts(1))];
  let starts = 0;
  const recipe = {
    name: 'nats-server',
    readyMs: READY_MS,
    stopMs: STOP_MS,
    prepare: async () => {
      starts += 1;
      // Revocations may have been pushed since the last start: mint again from what the server keeps.
      const identity = starts === 1 ? plan.identity : await natsIdentity(plan.folders.keys, plan.folders.jwt);
      return launchOf({ ...plan, identity }, port, monitoringPort);
    },
    isReady: (pid: number) => hasPortsFile(plan.folders.run, pid),
  };
  return {
    process: new EngineProcess(recipe),
    url: `nats://127.0.0.1:${port}`,
    port,
    monitoringUrl: `http://127.0.0.1:${monitoringPort}`,
    identity: plan.identity,
  };
}

async function launchOf(plan: NatsPlan, port: number, monitoringPort: number): Promise<EngineLaunch> {
  const { folders, identity } = plan;
  await clearRunFolder(folders.run);
  const configPath = join(folders.home, 'nats.conf');
  await writeFile(configPath, natsConfig(identity, folders, { port, monitoringPort }), { mode: SECRET_FILE_MODE });
  return {
    command: plan.binary,
    args: ['-c', configPath],
    cwd: folders.home,
    env: cleanEnvironment(plan.options.env),
    logPath: plan.options.logPath ?? join(plan.options.dataDir, 'logs', 'nats-server.log'),
    ports: [port, monitoringPort],
    pidPath: join(folders.home, 'engine.pid'),
  };
}

/** A server that was killed leaves its ports file behind. */
async function clearRunFolder(run: string): Promise<void> {
  const names = await readdir(run);
  await Promise.all(names.map((name) => rm(join(run, name), { force: true })));
}

async function hasPortsFile(run: string, pid: number): Promise<boolean> {
  const text = await readFile(join(run, `nats-server_${pid}.ports`), 'utf8');
  return (JSON.parse(text) as { nats?: string[] }).nats !== undefined;
}

/** Configuration text. Folder names are quoted as JSON strings, which the server's format takes. */
export function natsConfig(
  identity: NatsIdentity,
  folders: { jwt: string; js: string; run: string },
  ports: { port: number; monitoringPort: number },
): string {
  const preload = Object.entries(identity.accounts).map(([key, jwt]) => `  ${key}: ${jwt}`);
  return `server_name: edgeloop
host: 127.0.0.1
port: ${ports.port}
http: "127.0.0.1:${ports.monitoringPort}"
ports_file_dir: ${JSON.stringify(folders.run)}
max_payload: ${MAX_PAYLOAD}
max_control_line: 4KB
ping_interval: 10s
ping_max: 2
write_deadline: 5s
authorization { timeout: ${AUTHENTICATION_SECONDS} }

jetstream {
  store_dir: ${JSON.stringify(folders.js)}
  max_memory_store: ${MEMORY_STORE_MAX}
  max_file_store: ${FILE_STORE_MAX}
  sync_interval: always
}

operator: ${identity.operatorJwt}
system_account: ${identity.systemAccount}
resolver {
  type: full
  dir: ${JSON.stringify(folders.jwt)}
  allow_delete: true
  interval: "2m"
}
resolver_preload {
${preload.join('\n')}
}
`;
}

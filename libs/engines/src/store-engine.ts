import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment } from './clean-environment.ts';
import { type EngineLaunch, EngineProcess, startOnFreePorts } from './engine-process.ts';
import { freePorts } from './free-ports.ts';
import { resolveEngine } from './resolve-engine.ts';
import { secretFolder } from './secret-files.ts';
import {
  type AccessKey,
  BUCKETS,
  keptStoreSecrets,
  PROBE_BUCKET,
  type StoreSecrets,
  UPLOAD_ROLE_ARN,
  writeStoreConfig,
} from './store-identity.ts';

const READY_MS = 30_000;
/** It needs 3.5 s to end by itself. */
const STOP_MS = 10_000;
const START_TRIES_MAX = 5;
const PROBE_BUDGET_MS = 5_000;
/** Keeps the process below half a gigabyte; large objects are a third slower for it. */
const MEMORY_LIMIT = '400MiB';
export const STORE_REGION = 'us-east-1';

export interface ObjectStoreOptions {
  readonly dataDir: string;
  /** Fixed S3 port; without it a free one is taken (and kept over restarts). */
  readonly port?: number;
  readonly logPath?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A running object store with S3 and STS at one address. */
export interface ObjectStoreEngine {
  readonly process: EngineProcess;
  readonly endpoint: string;
  readonly stsEndpoint: string;
  readonly region: string;
  /** Read, write and list on the four buckets. */
  readonly service: AccessKey;
  /** Can only assume `roleArn`. */
  readonly issuer: AccessKey;
  readonly admin: AccessKey;
  readonly roleArn: string;
  readonly buckets: readonly string[];
}

/** @throws EngineNotFoundError, EngineStartError, PortInUseError (only when `port` was given) */
export async function startObjectStore(options: ObjectStoreOptions): Promise<ObjectStoreEngine> {
  const binary = await resolveEngine('weed', { env: options.env });
  const home = await secretFolder(join(options.dataDir, 'store'));
  const secrets = await keptStoreSecrets(join(home, 'keys'));
  return startOnFreePorts(() => storeOnPorts({ binary, home, secrets, options }), options.port === undefined ? START_TRIES_MAX : 1);
}

interface StorePlan {
  readonly binary: string;
  readonly home: string;
  readonly secrets: StoreSecrets;
  readonly options: ObjectStoreOptions;
}

/** Each part listens twice, for HTTP and for gRPC. */
const PARTS = ['s3', 'master', 'volume', 'filer', 'admin'] as const;
type Ports = Record<(typeof PARTS)[number], { readonly http: number; readonly grpc: number }>;

async function storeOnPorts(plan: StorePlan): Promise<ObjectStoreEngine> {
  const ports = await pickPorts(plan.options.port);
  const endpoint = `http://127.0.0.1:${ports.s3.http}`;
  const probe = new ReadinessProbe(endpoint, plan.secrets.admin);
  const recipe = {
    name: 'weed',
    readyMs: READY_MS,
    stopMs: STOP_MS,
    prepare: () => launchOf(plan, ports),
    isReady: () => probe.answers(),
  };
  const { admin, service, issuer } = plan.secrets;
  const identities = { admin, service, issuer, roleArn: UPLOAD_ROLE_ARN, buckets: BUCKETS };
  return { process: new EngineProcess(recipe), endpoint, stsEndpoint: endpoint, region: STORE_REGION, ...identities };
}

async function pickPorts(s3Port: number | undefined): Promise<Ports> {
  const free = await freePorts(PARTS.length * 2);
  const pairs = PARTS.map((part, index) => [part, { http: free[index * 2], grpc: free[index * 2 + 1] }] as const);
  const ports = Object.fromEntries(pairs) as Ports;
  return s3Port === undefined ? ports : { ...ports, s3: { ...ports.s3, http: s3Port } };
}

async function launchOf(plan: StorePlan, ports: Ports): Promise<EngineLaunch> {
  const { home, secrets, options } = plan;
  const data = await secretFolder(join(home, 'data'));
  const temporary = await secretFolder(join(home, 'tmp'));
  const config = await writeStoreConfig(join(home, 'keys'), secrets);
  await clearLeftovers(data, ports);
  return {
    command: plan.binary,
    args: [...fixedFlags(config, data), ...portFlags(ports, temporary)],
    cwd: home,
    env: { ...cleanEnvironment(options.env), TMPDIR: temporary, GOMEMLIMIT: MEMORY_LIMIT, ...sideDoorKeys(secrets) },
    logPath: options.logPath ?? join(options.dataDir, 'logs', 'weed.log'),
    ports: Object.values(ports).flatMap(({ http, grpc }) => [http, grpc]),
    pidPath: join(home, 'engine.pid'),
  };
}

/** The server keeps its flags, passwords included, for the next start, and a killed one leaves its sockets: neither may be reused. */
async function clearLeftovers(data: string, ports: Ports): Promise<void> {
  const sockets = PARTS.map((part) => join('/tmp', `seaweedfs-${part}-grpc-${ports[part].grpc}.sock`));
  await Promise.all([join(data, 'mini.options'), ...sockets].map((path) => rm(path, { force: true })));
}

function fixedFlags(config: string, data: string): string[] {
  return [
    'mini',
    `-dir=${data}`,
    '-ip=127.0.0.1',
    '-ip.bind=127.0.0.1',
    '-master.telemetry=false',
    '-admin.ui=false',
    '-webdav=false',
    '-s3.port.iceberg=0',
    '-s3.port.lance=0',
    '-filer.ui.deleteDir=false',
    `-s3.config=${config}`,
    `-s3.iam.config=${config}`,
    '-s3.autoCreateBucket=false',
    '-s3.allowDeleteBucketNotEmpty=false',
  ];
}

/** Socket paths are limited to about a hundred characters, so deep data folders fall back to the system's folder for temporary files. */
const SOCKET_PATH_MAX = 100;

function portFlags(ports: Ports, temporary: string): string[] {
  const socket = (part: 's3' | 'filer'): string => {
    const near = join(temporary, `${part}.sock`);
    return near.length <= SOCKET_PATH_MAX ? near : join(tmpdir(), `seaweedfs-${part}-grpc-${ports[part].grpc}.sock`);
  };
  const listeners = PARTS.flatMap((part) => [`-${part}.port=${ports[part].http}`, `-${part}.port.grpc=${ports[part].grpc}`]);
  return [...listeners, `-s3.localSocket=${socket('s3')}`, `-filer.localSocket=${socket('filer')}`];
}

/** By the environment: what stands on the command line, every local user can read. */
function sideDoorKeys({ jwt, adminPassword }: StoreSecrets): Record<string, string> {
  return {
    WEED_ADMIN_PASSWORD: adminPassword,
    WEED_JWT_SIGNING_KEY: jwt.signing,
    WEED_JWT_SIGNING_READ_KEY: jwt.signingRead,
    WEED_JWT_FILER_SIGNING_KEY: jwt.filer,
    WEED_JWT_FILER_SIGNING_READ_KEY: jwt.filerRead,
  };
}

/** Ready means: buckets are there, and an object that was put can be read. `/healthz` says yes before old objects can be read. */
class ReadinessProbe {
  readonly #client: S3Client;

  constructor(endpoint: string, credentials: AccessKey) {
    this.#client = new S3Client({ endpoint, region: STORE_REGION, forcePathStyle: true, credentials: { ...credentials }, maxAttempts: 1 });
  }

  async answers(): Promise<boolean> {
    for (const bucket of [PROBE_BUCKET, ...BUCKETS]) await this.#ensureBucket(bucket);
    const key = `ready-${Date.now()}`;
    const abortSignal = AbortSignal.timeout(PROBE_BUDGET_MS);
    await this.#client.send(new PutObjectCommand({ Bucket: PROBE_BUCKET, Key: 'ready', Body: key }), { abortSignal });
    const stored = await this.#client.send(new GetObjectCommand({ Bucket: PROBE_BUCKET, Key: 'ready' }), { abortSignal });
    return (await stored.Body?.transformToString()) === key;
  }

  async #ensureBucket(bucket: string): Promise<void> {
    const abortSignal = AbortSignal.timeout(PROBE_BUDGET_MS);
    await this.#client.send(new CreateBucketCommand({ Bucket: bucket }), { abortSignal }).catch((cause: Error) => {
      if (cause.name !== 'BucketAlreadyOwnedByYou' && cause.name !== 'BucketAlreadyExists') throw cause;
    });
  }
}

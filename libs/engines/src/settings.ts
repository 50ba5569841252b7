import { EngineSettingsError } from './errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables by which services find the engines. All paths are absolute. */
export type EngineVariable =
  | 'NATS_URL'
  | 'NATS_CREDS'
  | 'S3_ENDPOINT'
  | 'S3_REGION'
  | 'S3_ACCESS_KEY_ID'
  | 'S3_SECRET_ACCESS_KEY'
  | 'STS_ENDPOINT'
  | 'STS_ACCESS_KEY_ID'
  | 'STS_SECRET_ACCESS_KEY'
  | 'STS_ROLE_ARN'
  | 'EDGELOOP_NODES_SIGNING_SEED'
  | 'EDGELOOP_JOIN_CREDS';

export type EngineEnvironment = Partial<Record<EngineVariable, string>>;

export const DEFAULT_REGION = 'us-east-1';

const BUS_VARIABLES = ['NATS_URL', 'NATS_CREDS', 'EDGELOOP_NODES_SIGNING_SEED', 'EDGELOOP_JOIN_CREDS'] as const;
const STORE_VARIABLES = ['S3_ENDPOINT', 'S3_REGION', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] as const;
const STS_VARIABLES = ['STS_ENDPOINT', 'STS_ACCESS_KEY_ID', 'STS_SECRET_ACCESS_KEY', 'STS_ROLE_ARN'] as const;

/** What the environment says about a bus of its own; undefined when it names none and one is to be started. */
export function foreignBus(env: Environment): EngineEnvironment | undefined {
  return env.NATS_URL ? pick(env, BUS_VARIABLES) : undefined;
}

/**
 * What the environment says about an object store of its own; undefined when it names none.
 * The token service is the store's own address unless `STS_ENDPOINT` says otherwise.
 * @throws EngineSettingsError when keys are missing
 */
export function foreignStore(env: Environment): EngineEnvironment | undefined {
  if (!env.S3_ENDPOINT) return undefined;
  demand(env, 'S3_ENDPOINT', ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']);
  return { S3_REGION: DEFAULT_REGION, STS_ENDPOINT: env.S3_ENDPOINT, ...pick(env, [...STORE_VARIABLES, ...STS_VARIABLES]) };
}

/** A token service of its own beside the embedded store, or undefined. @throws EngineSettingsError when keys are missing */
export function foreignTokens(env: Environment): EngineEnvironment | undefined {
  if (!env.STS_ENDPOINT) return undefined;
  demand(env, 'STS_ENDPOINT', ['STS_ACCESS_KEY_ID', 'STS_SECRET_ACCESS_KEY', 'STS_ROLE_ARN']);
  return pick(env, STS_VARIABLES);
}

function demand(env: Environment, because: string, names: readonly string[]): void {
  const missing = names.filter((name) => !env[name]);
  if (missing.length > 0) throw new EngineSettingsError(because, missing);
}

function pick(env: Environment, names: readonly EngineVariable[]): EngineEnvironment {
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

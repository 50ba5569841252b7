export { cleanEnvironment } from './clean-environment.ts';
export { type BackoffLimits, backoffMs, DEFAULT_BACKOFF } from './backoff.ts';
export { type EngineEvents, EngineProcess } from './engine-process.ts';
export { ENGINES_LOCK } from './engines-lock.ts';
export {
  type EngineName,
  EngineNotFoundError,
  EngineSettingsError,
  EngineStartError,
  InstanceRunningError,
  PortInUseError,
  ProgramStartError,
} from './errors.ts';
export { freePorts } from './free-ports.ts';
export { type GuardedProcess, type GuardedProgram, type ProcessExit, spawnGuarded } from './guarded-process.ts';
export { claimDataDir } from './instance.ts';
export { lastLogLines } from './log-tail.ts';
export { type NatsEngine, type NatsOptions, startNats } from './nats-engine.ts';
export type { NatsIdentity } from './nats-identity.ts';
export { acquireLock, type LockHolder, type ProcessLock } from './process-lock.ts';
export { edgeloopHome, resolveEngine, type ResolveOptions } from './resolve-engine.ts';
export type { EngineEnvironment, EngineVariable } from './settings.ts';
export { type Engines, startEngines, type StartEnginesOptions } from './start-engines.ts';
export { type ObjectStoreEngine, type ObjectStoreOptions, startObjectStore, STORE_REGION } from './store-engine.ts';
export { type AccessKey, type Bucket, BUCKETS, UPLOAD_ROLE_ARN } from './store-identity.ts';
export {
  type ProgramState,
  type ProgramStatus,
  type SupervisedProgram,
  Supervisor,
  type SupervisorEvents,
  type SupervisorOptions,
} from './supervisor.ts';

export type EngineName = 'nats-server' | 'weed';

/** The engine's binary is neither here nor could it be installed. `attempts` says what was tried and how each try ended. */
export class EngineNotFoundError extends Error {
  override readonly name = 'EngineNotFoundError';
  readonly retryable = false;
  readonly engine: EngineName;
  readonly attempts: readonly string[];

  constructor(engine: EngineName, attempts: readonly string[], whatToDo: string) {
    super(`${engine} not found (${attempts.join('; ')}). ${whatToDo}`);
    this.engine = engine;
    this.attempts = attempts;
  }
}

/** The engine ended, or never answered, while it was starting. `lastLines` is the end of its own log. */
export class EngineStartError extends Error {
  override readonly name = 'EngineStartError';
  readonly retryable = true;
  readonly engine: string;
  readonly logPath: string;
  readonly lastLines: readonly string[];

  constructor(engine: string, reason: string, log: { path: string; lastLines: readonly string[] }, options?: ErrorOptions) {
    super(`${engine} did not start: ${reason}. Last lines of ${log.path}:\n  ${log.lastLines.join('\n  ') || '(empty)'}`, options);
    this.engine = engine;
    this.logPath = log.path;
    this.lastLines = log.lastLines;
  }
}

/** A port the engine was told to use belongs to another program. */
export class PortInUseError extends Error {
  override readonly name = 'PortInUseError';
  readonly retryable = false;
  readonly engine: string;
  readonly ports: readonly number[];
  readonly lastLines: readonly string[];

  constructor(engine: string, ports: readonly number[], lastLines: readonly string[]) {
    super(
      `${engine} cannot listen: a port of ${ports.join(', ')} on 127.0.0.1 is used by another program. ` +
        `Stop that program (find it with "ss -ltnp") or choose another port.\n  ${lastLines.join('\n  ')}`,
    );
    this.engine = engine;
    this.ports = ports;
    this.lastLines = lastLines;
  }
}

/** Another process of this machine already works on the data folder. */
export class InstanceRunningError extends Error {
  override readonly name = 'InstanceRunningError';
  readonly retryable = false;
  readonly dataDir: string;
  readonly pid: number;
  readonly startedAt: string;

  /** `elsewhere`: what the user writes to choose another folder. */
  constructor(dataDir: string, holder: { pid: number; startedAt: string }, elsewhere: string) {
    super(
      `edgeloop already runs on ${dataDir} (pid ${holder.pid}, since ${holder.startedAt}). ` +
        `Stop it first ("kill ${holder.pid}"), or give this one a data folder of its own (${elsewhere}).`,
    );
    this.dataDir = dataDir;
    this.pid = holder.pid;
    this.startedAt = holder.startedAt;
  }
}

/** The environment names a foreign engine but leaves out what is needed to use it. */
export class EngineSettingsError extends Error {
  override readonly name = 'EngineSettingsError';
  readonly retryable = false;
  readonly missing: readonly string[];

  constructor(because: string, missing: readonly string[]) {
    super(`${because} is set, so ${missing.join(' and ')} must be set too: nothing embedded is started beside your own server.`);
    this.missing = missing;
  }
}

/** A supervised program ended, or stayed silent, while it was starting. */
export class ProgramStartError extends Error {
  override readonly name = 'ProgramStartError';
  readonly retryable = true;
  readonly program: string;
  readonly reason: string;
  readonly logPath: string;
  readonly lastLines: readonly string[];

  constructor(program: string, reason: string, log: { path: string; lastLines: readonly string[] }, options?: ErrorOptions) {
    super(`${program} did not start: ${reason}. Last lines of ${log.path}:\n  ${log.lastLines.join('\n  ') || '(empty)'}`, options);
    this.program = program;
    this.reason = reason;
    this.logPath = log.path;
    this.lastLines = log.lastLines;
  }
}

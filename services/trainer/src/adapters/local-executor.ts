import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { spawnGuarded } from '@edgeloop/engines';
import type { GuardedProcess } from '@edgeloop/engines';
import type { Logger } from '@edgeloop/runtime';
import { sha256Hex } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';
import { metadataOf } from '../domain/metadata-line.ts';
import type { MetadataValue } from '../domain/metadata-line.ts';
import type { ExecutionRequest, ExecutionResult, Executor } from '../ports.ts';
import type { Patience } from '../patience.ts';
import type { FinishedMarker } from './finished-marker.ts';
import { writeStepConfig } from './step-config.ts';
import { StepLimits } from './step-limits.ts';
import { Workspace } from './workspace.ts';

/** How long a step may go on after SIGTERM. */
const STOP_GRACE_MS = 3_000;
/** Lines of a failed step that its reason shows. */
const REASON_LINES = 6;
const REASON_LENGTH_MAX = 1_500;

export interface LocalExecutorOptions {
  /** Folder for the runs' working folders. */
  readonly root: string;
  /** The project folder (`valohai.yaml`, the step's code): where commands run. */
  readonly project: string;
  /** What every step gets beside Valohai's own variables: PATH, the Python environment, the evaluator. */
  readonly environment: Readonly<Record<string, string>>;
  readonly store: ObjectStore;
  readonly log: Logger;
}

type NotDone = Exclude<ExecutionResult, { outcome: 'done' }>;

interface Watched {
  readonly metadata: Record<string, MetadataValue>;
  readonly lastLines: string[];
  readonly drained: Promise<unknown>;
}

/** Runs each step as a local process in its own working folder; the process cannot outlive the trainer. */
export class LocalExecutor implements Executor {
  readonly #options: LocalExecutorOptions;

  constructor(options: LocalExecutorOptions) {
    this.#options = options;
  }

  async execute(request: ExecutionRequest): Promise<ExecutionResult> {
    const { node } = request;
    const workspace = new Workspace(this.#options.root, request.runId, this.#options.store);
    const patience = this.#patience(request);
    const earlier = await workspace.finished(node, fingerprintOf(request));
    const ended = earlier ?? (await this.#run(workspace, request, patience));
    if ('outcome' in ended) return ended;
    if (earlier) this.#options.log.info({ runId: request.runId, node }, 'an execution that had finished has its outputs stored');
    const outputs = await workspace.storeOutputs(node, ended.files, patience);
    return { outcome: 'done', outputs, metadata: ended.metadata, seconds: ended.seconds };
  }

  /** Fetching and storing wait for the store as long as the run has time: an outage costs no work that was done. */
  #patience({ runId, node, timeLeftMs, signal }: ExecutionRequest): Patience {
    return {
      now: () => performance.now(),
      until: performance.now() + timeLeftMs,
      signal,
      onFailure: (cause) => this.#options.log.warn({ err: cause, runId, node }, 'transfer of a file failed, tried again shortly'),
    };
  }

  /** Inputs, process, marker. */
  async #run(workspace: Workspace, request: ExecutionRequest, patience: Patience): Promise<FinishedMarker | NotDone> {
    const { node } = request;
    await workspace.prepare(node);
    await workspace.fetchInputs(node, request.inputs, patience);
    await writeStepConfig(workspace.folder(node, 'config'), workspace.folder(node, 'inputs'), request);
    const startedAt = performance.now();
    const ended = await this.#runProcess(workspace, request, patience.until - startedAt);
    if ('outcome' in ended) return ended;
    const seconds = (performance.now() - startedAt) / 1000;
    return workspace.finish(node, { fingerprint: fingerprintOf(request), metadata: ended.metadata, seconds });
  }

  async clean(runId: string): Promise<void> {
    await new Workspace(this.#options.root, runId, this.#options.store).remove();
  }

  #variables(workspace: Workspace, request: ExecutionRequest): Record<string, string> {
    const folder = (name: 'inputs' | 'outputs' | 'config' | 'work'): string => workspace.folder(request.node, name);
    return {
      ...this.#options.environment,
      ...request.environment,
      VH_JOB_ID: `${request.runId}-${request.node}`,
      VH_INPUTS_DIR: folder('inputs'),
      VH_OUTPUTS_DIR: folder('outputs'),
      VH_CONFIG_DIR: folder('config'),
      VH_REPOSITORY_DIR: this.#options.project,
      /** Survives a crash of the trainer: where a step keeps its checkpoints. */
      EDGELOOP_WORK_DIR: folder('work'),
    };
  }

  async #runProcess(workspace: Workspace, request: ExecutionRequest, leftMs: number): Promise<Watched | NotDone> {
    const child = await spawnGuarded({
      command: '/bin/sh',
      args: ['-c', request.command],
      cwd: this.#options.project,
      env: this.#variables(workspace, request),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stop = (): void => void child.stop(STOP_GRACE_MS);
    const { noOutputTimeoutSeconds } = request.step;
    const limits = new StepLimits({
      totalMs: Math.max(1, Math.min(request.timeLimitMs, leftMs)),
      quietMs: noOutputTimeoutSeconds === undefined ? undefined : noOutputTimeoutSeconds * 1000,
      stop,
    });
    const watched = watch(child, join(workspace.folder(request.node, 'logs'), 'step.log'), {
      onMetadata: request.onMetadata,
      onOutput: () => limits.heard(),
    });
    request.signal.addEventListener('abort', stop, { once: true });
    if (request.signal.aborted) stop();
    const exit = await child.exited;
    limits.clear();
    request.signal.removeEventListener('abort', stop);
    await watched.drained;
    this.#options.log.info({ runId: request.runId, node: request.node, ...exit, broken: limits.broken }, 'step ended');
    if (request.signal.aborted) return { outcome: 'cancelled', reason: 'stopped' };
    if (limits.broken !== undefined) return { outcome: 'timed-out', reason: `step ${request.step.name} ${limits.broken}` };
    if (exit.code === 0) return watched;
    return { outcome: 'failed', reason: failureOf(request.step.name, exit, watched.lastLines) };
  }
}

/** The same for the same work: command, parameters, files and environment. */
function fingerprintOf({ command, parameters, inputs, environment }: ExecutionRequest): string {
  const files = inputs.map(({ input, name, object }) => [input, name, object.digest]);
  return sha256Hex(JSON.stringify([command, parameters, files, environment]));
}

function failureOf(step: string, exit: { code: number | null; signal: string | null }, lines: readonly string[]): string {
  const how = exit.code === null ? `was killed by ${exit.signal ?? 'a signal'}` : `ended with exit status ${exit.code}`;
  return `step ${step} ${how}: ${lines.join(' | ')}`.slice(0, REASON_LENGTH_MAX);
}

interface Listeners {
  readonly onMetadata: ExecutionRequest['onMetadata'];
  /** Anything at all was printed, a line or a part of one. */
  readonly onOutput: () => void;
}

function watch(child: GuardedProcess, logPath: string, { onMetadata, onOutput }: Listeners): Watched {
  const log = createWriteStream(logPath, { flags: 'a', mode: 0o600 });
  const watched = { metadata: {} as Record<string, MetadataValue>, lastLines: [] as string[] };
  const take = (line: string): void => {
    log.write(`${line}\n`);
    const metadata = metadataOf(line);
    if (metadata) {
      Object.assign(watched.metadata, metadata);
      onMetadata(metadata);
    } else if (line.trim() !== '') {
      watched.lastLines.push(line.trim());
      if (watched.lastLines.length > REASON_LINES) watched.lastLines.shift();
    }
  };
  const streams = [child.child.stdout, child.child.stderr].filter((stream) => stream !== null);
  const drained = Promise.all(
    streams.map(
      (stream) =>
        new Promise<void>((resolve) => {
          stream.on('data', onOutput);
          createInterface({ input: stream }).on('line', take).on('close', resolve);
        }),
    ),
  ).then(() => new Promise<void>((resolve) => log.end(resolve)));
  return { ...watched, drained };
}

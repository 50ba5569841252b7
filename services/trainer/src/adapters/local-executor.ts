import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { spawnGuarded } from '@edgeloop/engines';
import type { GuardedProcess } from '@edgeloop/engines';
import type { Logger } from '@edgeloop/runtime';
import type { ObjectStore } from '@edgeloop/store';
import { metadataOf } from '../domain/metadata-line.ts';
import type { MetadataValue } from '../domain/metadata-line.ts';
import type { ExecutionRequest, ExecutionResult, Executor } from '../ports.ts';
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
    const workspace = new Workspace(this.#options.root, request.runId, this.#options.store);
    await workspace.prepare(request.node);
    await workspace.fetchInputs(request.node, request.inputs, request.signal);
    await writeStepConfig(workspace.folder(request.node, 'config'), workspace.folder(request.node, 'inputs'), request);
    const startedAt = performance.now();
    const ended = await this.#runProcess(workspace, request);
    if (ended.outcome !== 'done') return ended;
    const outputs = await workspace.storeOutputs(request.node, request.signal);
    return { outcome: 'done', outputs, metadata: ended.metadata, seconds: (performance.now() - startedAt) / 1000 };
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

  async #runProcess(workspace: Workspace, request: ExecutionRequest): Promise<ExecutionResult> {
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
      totalMs: Math.min(request.timeLimitMs, request.timeLeftMs),
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
    if (exit.code === 0) return { outcome: 'done', outputs: [], metadata: watched.metadata, seconds: 0 };
    return { outcome: 'failed', reason: failureOf(request.step.name, exit, watched.lastLines) };
  }
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

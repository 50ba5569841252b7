import { isRetryable } from '@edgeloop/bus';
import type { Bus, Cause, Documents, Output } from '@edgeloop/bus';
import { RunCompleted, RunEnded, RunJudged, RunProgressed, RunStepStarted } from '@edgeloop/contracts';
import type { GateVerdict, ObjectRef } from '@edgeloop/contracts';
import { isoOf, sleep } from '@edgeloop/runtime';
import type { Clock, Logger } from '@edgeloop/runtime';
import { judgeCandidate } from '../domain/gate.ts';
import type { GateRule } from '../domain/gate.ts';
import { passedOn } from '../domain/inputs.ts';
import type { MetadataValue } from '../domain/metadata-line.ts';
import { planPipeline, stepNamed } from '../domain/pipeline-plan.ts';
import type { PlannedExecution } from '../domain/pipeline-plan.ts';
import { evolve, isHeldBy, nextStep } from '../domain/run.ts';
import type { NextStep, OutputFile, Run, RunChange, RunStatus } from '../domain/run.ts';
import type { ValohaiProject } from '../domain/valohai.ts';
import { InvalidOutputError } from '../ports.ts';
import { startedId } from './trainer.ts';
import type { Executor, RunOutputs } from '../ports.ts';
import { patiently } from '../patience.ts';
import type { Patience } from '../patience.ts';
import { orderOf } from './execution-request.ts';
import type { RequestParts, RequestSettings } from './execution-request.ts';

/** Metadata events of one execution come no closer together than this. */
export const PROGRESS_EVERY_MS = 1_000;
/** Waits this long after a failure of the bus or the store before it goes on with the run. */
const RETRY_AFTER_MS = 2_000;
/** Characters of a reason that are published. */
const REASON_LENGTH_MAX = 2_000;

export interface RunDriverParts extends RequestParts {
  readonly bus: Pick<Bus, 'publish'>;
  readonly runs: Documents<Run>;
  readonly executor: Executor;
  readonly outputs: RunOutputs;
  readonly loadProject: () => Promise<ValohaiProject>;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface RunDriverSettings extends RequestSettings {
  readonly gate: GateRule;
}

interface Plan {
  readonly executions: readonly PlannedExecution[];
  readonly nodes: readonly string[];
  readonly evaluationNode: string | null;
}

/** The step whose outputs the gate judges, and the step whose time counts as training: what a project calls them is part of its contract. */
const EVALUATE_STEP = 'evaluate';
const TRAIN_STEP = 'train';
/** Output file that is the model of a run. */
const MODEL_FILE = 'model.onnx';

/** A run as it was when this replica, its holder, took it up. */
interface Held {
  readonly run: Run;
  readonly owner: string;
  readonly signal: AbortSignal;
}

interface Ending {
  readonly outcome: Exclude<RunStatus, 'running' | 'completed'>;
  readonly step: string | null;
  readonly reason: string;
}

/** Drives one run: what follows is decided by the domain, done here, and saved together with what it says to others. */
export class RunDriver {
  readonly #parts: RunDriverParts;
  readonly #settings: RunDriverSettings;

  constructor(parts: RunDriverParts, settings: RunDriverSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  /** One step of the run that `owner` holds; false when it has ended or is somebody else's. */
  async advance(runId: string, owner: string, signal: AbortSignal): Promise<boolean> {
    const run = (await this.#parts.runs.load(runId))?.state;
    if (!run || !isHeldBy(run, owner)) return false;
    const held: Held = { run, owner, signal };
    let step = run.current?.node ?? null;
    try {
      const plan = await this.#planOf(run);
      const next = nextStep(run, plan, this.#parts.clock.now());
      step = nodeOf(next, plan);
      await this.#take(held, plan, next);
    } catch (cause) {
      await this.#afterFailure(held, step, cause);
    }
    return true;
  }

  /** What cannot succeed ends the run; what may, is tried again for as long as the run may take. A holder that is stopped leaves both to the next. */
  async #afterFailure(held: Held, step: string | null, cause: unknown): Promise<void> {
    if (held.signal.aborted) throw cause;
    if (!isRetryable(cause)) return this.#end(held, { outcome: 'failed', step, reason: reasonOf(cause) });
    this.#parts.log.warn({ err: cause, runId: held.run.runId }, 'run interrupted, tried again shortly');
    await this.#change(held, { type: 'broke-off' });
    await sleep(RETRY_AFTER_MS, held.signal);
  }

  async #planOf(run: Run): Promise<Plan> {
    const project = await this.#parts.loadProject();
    const isPipeline = project.pipelines.some((pipeline) => pipeline.name === run.pipeline);
    const executions = isPipeline
      ? planPipeline(project, run.pipeline)
      : [{ node: run.pipeline, step: stepNamed(project, run.pipeline), incoming: [] }];
    return {
      executions,
      nodes: executions.map((each) => each.node),
      evaluationNode: executions.find((each) => each.step.name === EVALUATE_STEP)?.node ?? null,
    };
  }

  async #take(held: Held, plan: Plan, next: NextStep): Promise<void> {
    switch (next.type) {
      case 'execute':
        return this.#execute(held, plan, next);
      case 'judge':
        return this.#judge(held, plan);
      case 'complete':
        return this.#complete(held);
      case 'end':
        return this.#end(held, { outcome: next.status, step: next.node, reason: next.reason });
      default:
        return next satisfies never;
    }
  }

  async #execute(held: Held, plan: Plan, { node, attempt }: { node: string; attempt: number }): Promise<void> {
    const { run, owner, signal } = held;
    const execution = plan.executions.find((each) => each.node === node) as PlannedExecution;
    const order = await patiently(() => orderOf(run, execution, this.#parts, this.#settings), this.#patience(held));
    const started: Output = {
      contract: RunStepStarted,
      id: `${run.runId}-${node}-started-${attempt}`,
      payload: { runId: run.runId, step: node, attempt },
    };
    if (!isHeldBy(await this.#change(held, { type: 'began', node, attempt }, [started]), owner)) return;
    const timeLeftMs = Math.max(1, run.deadlineAt - this.#parts.clock.now());
    const result = await this.#parts.executor.execute({ ...order, timeLeftMs, signal, onMetadata: this.#progressOf(run, node) });
    if (result.outcome === 'done') {
      const { outputs, metadata, seconds } = result;
      const inputs = passedOn(node, plan.executions, order.inputs);
      const done = { node, step: execution.step.name, parameters: order.parameters, inputs, outputs, metadata, seconds };
      await this.#change(held, { type: 'finished', execution: done });
    } else if (result.outcome !== 'cancelled') {
      await this.#end(held, { outcome: result.outcome, step: node, reason: result.reason });
    }
  }

  #progressOf(run: Run, node: string): (metadata: Readonly<Record<string, MetadataValue>>) => void {
    let lastAt = -Infinity;
    return (metadata) => {
      const now = this.#parts.clock.now();
      if (now - lastAt < PROGRESS_EVERY_MS) return;
      lastAt = now;
      this.#parts.bus
        .publish(
          RunProgressed,
          { runId: run.runId, step: node, at: isoOf(now), metadata },
          { id: `${run.runId}-${node}-progress-${now}`, cause: causeOf(run) },
        )
        .catch((cause: unknown) => this.#parts.log.debug({ err: cause, runId: run.runId }, 'progress not published'));
    };
  }

  async #judge(held: Held, plan: Plan): Promise<void> {
    const { run } = held;
    const outputs = run.finished.find((done) => done.node === plan.evaluationNode)?.outputs ?? [];
    const gate: GateVerdict = judgeCandidate(await this.#parts.outputs.evaluation(outputs), this.#settings.gate);
    await this.#change(held, { type: 'judged', gate }, [
      { contract: RunJudged, id: `${run.runId}-judged`, payload: { runId: run.runId, gate } },
    ]);
  }

  async #complete(held: Held): Promise<void> {
    const { run } = held;
    const payload = {
      runId: run.runId,
      model: modelOf(run),
      card: run.imported?.card ?? (await this.#parts.outputs.card(lastOutputs(run), run.model)),
      datasetId: run.dataset?.datasetId ?? null,
      datasetDigest: run.dataset?.manifest.digest ?? null,
      gate: run.gate,
      trainSeconds: run.finished.filter((done) => done.step === TRAIN_STEP).reduce((sum, done) => sum + done.seconds, 0),
      goldenPictures: [...(await this.#goldenPictures(run))],
    };
    await this.#close(held, { status: 'completed', reason: null }, { contract: RunCompleted, id: `${run.runId}-completed`, payload });
  }

  async #goldenPictures({ imported, dataset }: Run): Promise<readonly ObjectRef[]> {
    if (imported) return imported.goldenPictures;
    return dataset ? (await this.#parts.datasets.files(dataset.manifest)).goldenPictures : [];
  }

  async #end(held: Held, { outcome, step, reason }: Ending): Promise<void> {
    const { runId } = held.run;
    this.#parts.log.warn({ runId, outcome, step, reason }, 'run ended without a model');
    const payload = { runId, outcome, step, reason: reason.slice(0, REASON_LENGTH_MAX) };
    await this.#close(held, { status: outcome, reason }, { contract: RunEnded, id: `${runId}-ended`, payload });
  }

  /** The run is over; the folder goes when that is saved, and stays for the run's new holder where there is one. */
  async #close(held: Held, end: { status: Exclude<RunStatus, 'running'>; reason: string | null }, told: Output): Promise<void> {
    const after = await this.#change(held, { type: 'ended', at: this.#parts.clock.now(), ...end }, [told]);
    if (after?.status !== 'running') await this.#parts.executor.clean(held.run.runId);
  }

  /** Hands the run back for another replica to take; a run that another has taken already stays with it. */
  async release(runId: string, owner: string): Promise<void> {
    await this.#parts.runs.update(runId, (current) =>
      current && isHeldBy(current, owner) ? { state: evolve(current, { type: 'released', owner }) } : undefined,
    );
  }

  /**
   * Saves a change together with what it says to others, and gives the run as it is then. A run that has ended, or that somebody else
   * holds by now, stays as it is. An outage of the bus is waited for as long as the run may take: what was done is not lost to it.
   */
  async #change(held: Held, change: RunChange, outputs: readonly Output[] = []): Promise<Run | undefined> {
    const decide = (current: Run | undefined): { state: Run; outputs: readonly Output[] } | undefined => {
      if (!current || !isHeldBy(current, held.owner)) return undefined;
      const state = evolve(current, change);
      return state === current ? undefined : { state, outputs };
    };
    return patiently(() => this.#parts.runs.update(held.run.runId, decide, causeOf(held.run)), this.#patience(held));
  }

  #patience({ run, signal }: Held): Patience {
    return {
      now: () => this.#parts.clock.now(),
      until: run.deadlineAt,
      signal,
      onFailure: (cause) => this.#parts.log.warn({ err: cause, runId: run.runId }, 'the run waits for the bus or the store'),
    };
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The node that a failure of this step is told of. */
function nodeOf(next: NextStep, plan: Plan): string | null {
  switch (next.type) {
    case 'execute':
    case 'end':
      return next.node;
    case 'judge':
      return plan.evaluationNode;
    case 'complete':
      return plan.nodes.at(-1) ?? null;
    default:
      return next satisfies never;
  }
}

/** Whatever a run says later was caused by its beginning. */
function causeOf(run: Run): Cause {
  return { id: startedId(run.runId), correlationId: run.correlationId, traceparent: undefined };
}

function lastOutputs(run: Run): readonly OutputFile[] {
  return run.finished.at(-1)?.outputs ?? [];
}

/** @throws InvalidOutputError */
function modelOf(run: Run): ObjectRef {
  const outputs = lastOutputs(run);
  const model = outputs.find((output) => output.name === MODEL_FILE)?.object;
  if (model) return model;
  const left = outputs.map((output) => output.name).join(', ') || 'nothing';
  throw new InvalidOutputError(MODEL_FILE, `the run ended without a model: step ${run.finished.at(-1)?.step ?? 'none'} left ${left}`);
}

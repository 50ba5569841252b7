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
import { evolve, nextStep } from '../domain/run.ts';
import type { NextStep, OutputFile, Run, RunChange } from '../domain/run.ts';
import { InvalidProjectError } from '../domain/valohai.ts';
import type { ValohaiProject } from '../domain/valohai.ts';
import { InvalidOutputError } from '../ports.ts';
import { startedId } from './trainer.ts';
import type { Executor, RunOutputs } from '../ports.ts';
import { orderOf } from './execution-request.ts';
import type { RequestParts, RequestSettings } from './execution-request.ts';

/** Metadata events of one execution come no closer together than this. */
export const PROGRESS_EVERY_MS = 1_000;
/** Waits this long after a failure of the bus or the store before it goes on with the run. */
const RETRY_AFTER_MS = 2_000;

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
    if (!run || run.status !== 'running' || run.lease?.owner !== owner) return false;
    try {
      const plan = await this.#planOf(run);
      await this.#take(run, plan, nextStep(run, plan, this.#parts.clock.now()), signal);
    } catch (cause) {
      await this.#afterFailure(run, cause, signal);
    }
    return true;
  }

  async #afterFailure(run: Run, cause: unknown, signal: AbortSignal): Promise<void> {
    if (cause instanceof InvalidProjectError || cause instanceof InvalidOutputError) {
      await this.#end(run, 'failed', run.current?.node ?? null, cause.message);
    } else if (!signal.aborted) {
      this.#parts.log.warn({ err: cause, runId: run.runId }, 'run interrupted, tried again shortly');
      await sleep(RETRY_AFTER_MS, signal);
    }
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

  async #take(run: Run, plan: Plan, next: NextStep, signal: AbortSignal): Promise<void> {
    switch (next.type) {
      case 'execute':
        return this.#execute(run, plan, next, signal);
      case 'judge':
        return this.#judge(run, plan);
      case 'complete':
        return this.#complete(run);
      case 'end':
        return this.#end(run, next.status, next.node, next.reason);
      default:
        return next satisfies never;
    }
  }

  async #execute(run: Run, plan: Plan, next: { node: string; attempt: number }, signal: AbortSignal): Promise<void> {
    const execution = plan.executions.find((each) => each.node === next.node) as PlannedExecution;
    const started: Output = {
      contract: RunStepStarted,
      id: `${run.runId}-${next.node}-started-${next.attempt}`,
      payload: { runId: run.runId, step: next.node, attempt: next.attempt },
    };
    await this.#change(run, { type: 'began', node: next.node, attempt: next.attempt }, [started]);
    const order = await orderOf(run, execution, this.#parts, this.#settings);
    const timeLeftMs = Math.max(1, run.deadlineAt - this.#parts.clock.now());
    const result = await this.#parts.executor.execute({ ...order, timeLeftMs, signal, onMetadata: this.#progressOf(run, next.node) });
    if (result.outcome === 'done') {
      const { outputs, metadata, seconds } = result;
      const { node, parameters } = order;
      const inputs = passedOn(node, plan.executions, order.inputs);
      const done = { node, step: execution.step.name, parameters, inputs, outputs, metadata, seconds };
      await this.#change(run, { type: 'finished', execution: done });
    } else if (result.outcome !== 'cancelled') {
      await this.#end(run, result.outcome, next.node, result.reason);
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

  async #judge(run: Run, plan: Plan): Promise<void> {
    const outputs = run.finished.find((done) => done.node === plan.evaluationNode)?.outputs ?? [];
    const gate: GateVerdict = judgeCandidate(await this.#parts.outputs.evaluation(outputs), this.#settings.gate);
    await this.#change(run, { type: 'judged', gate }, [
      { contract: RunJudged, id: `${run.runId}-judged`, payload: { runId: run.runId, gate } },
    ]);
  }

  async #complete(run: Run): Promise<void> {
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
    await this.#change(run, { type: 'ended', status: 'completed', at: this.#parts.clock.now(), reason: null }, [
      { contract: RunCompleted, id: `${run.runId}-completed`, payload },
    ]);
    await this.#parts.executor.clean(run.runId);
  }

  async #goldenPictures({ imported, dataset }: Run): Promise<readonly ObjectRef[]> {
    if (imported) return imported.goldenPictures;
    return dataset ? (await this.#parts.datasets.files(dataset.manifest)).goldenPictures : [];
  }

  async #end(run: Run, outcome: 'refused' | 'failed' | 'cancelled' | 'timed-out', step: string | null, reason: string): Promise<void> {
    this.#parts.log.warn({ runId: run.runId, outcome, step, reason }, 'run ended without a model');
    const payload = { runId: run.runId, outcome, step, reason: reason.slice(0, 2000) };
    await this.#change(run, { type: 'ended', status: outcome, at: this.#parts.clock.now(), reason }, [
      { contract: RunEnded, id: `${run.runId}-ended`, payload },
    ]);
    await this.#parts.executor.clean(run.runId);
  }

  /** Saves a change together with what it says to others; a run that has ended stays as it is. */
  /** Hands the run back for another replica to take. */
  async release(runId: string): Promise<void> {
    await this.#parts.runs.update(runId, (current) =>
      current?.status === 'running' ? { state: evolve(current, { type: 'released' }) } : undefined,
    );
  }

  async #change(run: Run, change: RunChange, outputs: readonly Output[] = []): Promise<void> {
    const decide = (current: Run | undefined) => (current?.status === 'running' ? { state: evolve(current, change), outputs } : undefined);
    await this.#parts.runs.update(run.runId, decide, causeOf(run));
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

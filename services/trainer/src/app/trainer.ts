import { Refusal } from '@edgeloop/bus';
import type { Cause, Documents } from '@edgeloop/bus';
import { RunStarted } from '@edgeloop/contracts';
import type { AskStartRun, DatasetSnapshotted, PayloadOf, ReleasePublished, RolloutEnded, RunTrigger, RunView } from '@edgeloop/contracts';
import { isoOf } from '@edgeloop/runtime';
import type { Clock, Logger } from '@edgeloop/runtime';
import type { z } from 'zod';
import {
  NEW_LINE,
  giveVersion,
  importRunIdOf,
  requiredVersionOf,
  runIdOf,
  seeDataset,
  seeRelease,
  seeRolledOut,
  startDatasetByHand,
} from '../domain/model-line.ts';
import type { KnownDataset, ModelLine } from '../domain/model-line.ts';
import { evolve } from '../domain/run.ts';
import type { ImportedModel, Run } from '../domain/run.ts';
import { decisionOf } from '../domain/trigger.ts';
import type { TriggerRule } from '../domain/trigger.ts';

export interface TrainerSettings {
  readonly modelName: string;
  readonly rule: TriggerRule;
  /** Pipeline (or single step) of each kind of run. */
  readonly pipelines: { readonly retrain: string; readonly firstModel: string; readonly import: string };
  readonly runTimeoutMs: number;
}

/** Imports of one model file that may end without it before its file is held to be the reason. */
export const IMPORT_ATTEMPTS_MAX = 20;

interface Stores {
  readonly runs: Documents<Run>;
  readonly lines: Documents<ModelLine>;
}

/** Use-cases: what arrives on the bus -> decide -> save -> publish. Running is the worker's part. */
export class Trainer {
  readonly #stores: Stores;
  readonly #settings: TrainerSettings;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(stores: Stores, settings: TrainerSettings, clock: Clock, log: Logger) {
    this.#stores = stores;
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
  }

  async onSnapshot(snapshot: PayloadOf<typeof DatasetSnapshotted>, cause: Cause): Promise<void> {
    const dataset: KnownDataset = { datasetId: snapshot.datasetId, manifest: snapshot.manifest, newLabels: snapshot.counts.newLabels };
    const line = await this.#updateLine((current) => seeDataset(current, this.#settings.rule, dataset, snapshot.counts.newPerClass), cause);
    const decision = decisionOf(line.trigger, snapshot.datasetId);
    this.#log.info({ datasetId: snapshot.datasetId, starts: decision?.starts, reason: decision?.reason }, 'snapshot judged');
    if (decision?.starts) await this.#createDatasetRun(line, dataset, { kind: decision.kind, reason: decision.reason }, cause);
  }

  async onRelease(release: PayloadOf<typeof ReleasePublished>, cause: Cause): Promise<void> {
    if (release.name !== this.#settings.modelName) return;
    await this.#updateLine(
      (line) => seeRelease(line, { releaseId: release.releaseId, version: release.version, model: release.model }),
      cause,
    );
  }

  async onRolloutEnded(rollout: PayloadOf<typeof RolloutEnded>, cause: Cause): Promise<void> {
    if (rollout.outcome === 'completed') await this.#updateLine((line) => seeRolledOut(line, rollout.releaseId), cause);
  }

  async start(asked: PayloadOf<typeof AskStartRun>, cause: Cause): Promise<{ runId: string }> {
    return { runId: asked.kind === 'import' ? await this.#import(asked, cause) : await this.#trainByHand(asked, cause) };
  }

  async cancel(runId: string, cause: Cause): Promise<boolean> {
    const run = await this.#stores.runs.update(
      runId,
      (current) => (current?.status === 'running' ? { state: evolve(current, { type: 'cancel-asked' }) } : undefined),
      cause,
    );
    return run?.status === 'running' && run.cancelAsked;
  }

  /** Newest first. */
  async runs(limit: number): Promise<z.output<typeof RunView>[]> {
    const views = [];
    for await (const { document } of this.#stores.runs.entries()) views.push(viewOf(document.state));
    return views.sort((left, right) => (left.startedAt < right.startedAt ? 1 : -1)).slice(0, limit);
  }

  async #updateLine(change: (line: ModelLine) => ModelLine, cause: Cause): Promise<ModelLine> {
    const updated = await this.#stores.lines.update(
      this.#settings.modelName,
      (current) => {
        const before = current ?? NEW_LINE;
        const state = change(before);
        return state === before && current ? undefined : { state };
      },
      cause,
    );
    // Never undefined: where there was no line yet, one was saved.
    return updated as ModelLine;
  }

  async #trainByHand(asked: { datasetId?: string; reason: string }, cause: Cause): Promise<string> {
    const known = (await this.#stores.lines.load(this.#settings.modelName))?.state.datasets ?? [];
    const dataset = asked.datasetId === undefined ? known.at(-1) : known.find((each) => each.datasetId === asked.datasetId);
    if (!dataset)
      throw new Refusal(
        'dataset-unknown',
        asked.datasetId === undefined
          ? 'there is no dataset yet: import one or label some samples first'
          : `there is no dataset ${asked.datasetId}; the trainer knows ${known.map((each) => each.datasetId).join(', ') || 'none'}`,
      );
    const earlier = (await this.#stores.runs.load(runIdOf(dataset.datasetId)))?.state;
    if (earlier) return sameRun(earlier, dataset);
    const line = await this.#updateLine((current) => startDatasetByHand(current, dataset.datasetId, asked.reason), cause);
    return this.#createDatasetRun(line, dataset, { kind: 'manual', reason: asked.reason }, cause);
  }

  async #import(asked: Extract<PayloadOf<typeof AskStartRun>, { kind: 'import' }>, cause: Cause): Promise<string> {
    const { modelName } = this.#settings;
    if (asked.card.name !== modelName)
      throw new Refusal('wrong-model', `this trainer keeps the model ${modelName}, not ${asked.card.name}`);
    const { runId, earlier } = await this.#importRun(asked.model.digest);
    if (earlier) return runId;
    const line = await this.#updateLine((current) => giveVersion(current, runId), cause);
    const version = requiredVersionOf(line, runId);
    const imported: ImportedModel = { model: asked.model, card: { ...asked.card, version }, goldenPictures: asked.goldenPictures };
    return this.#create(
      {
        runId,
        pipeline: this.#settings.pipelines.import,
        trigger: { kind: 'import', reason: asked.reason },
        newLabels: 0,
        dataset: null,
        incumbent: line.incumbent,
        version,
        imported,
      },
      cause,
    );
  }

  /** The run that brings the model in, or the id of a new one where every earlier try ended without it. */
  async #importRun(digest: string): Promise<{ runId: string; earlier: Run | undefined }> {
    for (let attempt = 1; attempt <= IMPORT_ATTEMPTS_MAX; attempt++) {
      const runId = importRunIdOf(digest, attempt);
      const earlier = (await this.#stores.runs.load(runId))?.state;
      if (!earlier || isAlive(earlier)) return { runId, earlier };
    }
    throw new Refusal(
      'import-failed',
      `${IMPORT_ATTEMPTS_MAX} imports of this model ended without it; the last: ${importRunIdOf(digest, IMPORT_ATTEMPTS_MAX)}. Mend the model file and import that`,
    );
  }

  #createDatasetRun(line: ModelLine, dataset: KnownDataset, trigger: RunTrigger, cause: Cause): Promise<string> {
    const runId = runIdOf(dataset.datasetId);
    const pipeline = line.incumbent ? this.#settings.pipelines.retrain : this.#settings.pipelines.firstModel;
    const version = requiredVersionOf(line, runId);
    return this.#create(
      {
        runId,
        pipeline,
        trigger,
        newLabels: dataset.newLabels,
        dataset: { datasetId: dataset.datasetId, manifest: dataset.manifest },
        incumbent: line.incumbent,
        version,
        imported: null,
      },
      cause,
    );
  }

  async #create(
    draft: Pick<Run, 'runId' | 'pipeline' | 'trigger' | 'newLabels' | 'dataset' | 'incumbent' | 'imported'> & { version: string },
    cause: Cause,
  ): Promise<string> {
    const { version, ...rest } = draft;
    const startedAt = this.#clock.now();
    const model = { name: this.#settings.modelName, version };
    const run: Run = {
      ...rest,
      correlationId: cause.correlationId,
      model,
      status: 'running',
      current: null,
      finished: [],
      gate: null,
      cancelAsked: false,
      startedAt,
      deadlineAt: startedAt + this.#settings.runTimeoutMs,
      endedAt: null,
      reason: null,
      lease: null,
    };
    const started = {
      contract: RunStarted,
      id: startedId(run.runId),
      payload: {
        runId: run.runId,
        pipeline: run.pipeline,
        trigger: run.trigger,
        datasetId: run.dataset?.datasetId ?? null,
        newLabels: run.newLabels,
        incumbent: run.incumbent,
        model,
      },
    };
    await this.#stores.runs.update(run.runId, (current) => (current ? undefined : { state: run, outputs: [started] }), cause);
    return run.runId;
  }
}

/** It gives a model, or still may. */
function isAlive(run: Run): boolean {
  return run.status === 'running' || run.status === 'completed';
}

/**
 * The answer to one who asks again for a run on a dataset: the run that there is, where a lost reply is all that is missing.
 * @throws Refusal where it ended without a model: asking again will not change what it was told
 */
function sameRun(run: Run, { datasetId }: KnownDataset): string {
  if (isAlive(run)) return run.runId;
  throw new Refusal(
    'already-trained',
    `${datasetId} was trained on by ${run.runId}, which ended as ${run.status} (${run.reason ?? 'no reason given'}); ` +
      'a snapshot is never trained on twice: label more, and start on the next one',
  );
}

/** Message id of a run's beginning: the cause of all that the run says later. */
export function startedId(runId: string): string {
  return `${runId}-started`;
}

function viewOf(run: Run): z.output<typeof RunView> {
  return {
    runId: run.runId,
    pipeline: run.pipeline,
    status: run.status,
    step: run.current?.node ?? null,
    trigger: `${run.trigger.kind}: ${run.trigger.reason}`,
    datasetId: run.dataset?.datasetId ?? null,
    startedAt: isoOf(run.startedAt),
    endedAt: run.endedAt === null ? null : isoOf(run.endedAt),
    version: run.model.version,
    reason: run.reason,
  };
}

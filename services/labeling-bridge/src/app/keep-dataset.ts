import { Refusal, type Cause } from '@edgeloop/bus';
import type { AskDatasets, ReplyOf } from '@edgeloop/contracts';
import { isoOf, type Clock } from '@edgeloop/runtime';
import { noteClosed, noteStarted } from '../domain/desk.ts';
import { decideSnapshot, type SnapshotRules } from '../domain/snapshot-trigger.ts';
import type { AnswerLedger, DeskStore, TaskBoard } from '../ports.ts';
import type { FreezeDataset } from './freeze-dataset.ts';
import type { ImportDataset } from './import-dataset.ts';

export interface KeepDatasetParts {
  readonly desk: DeskStore;
  readonly board: TaskBoard;
  readonly answers: AnswerLedger;
  readonly freezer: FreezeDataset;
  readonly importer: ImportDataset;
  readonly clock: Clock;
  readonly rules: SnapshotRules;
}

type DatasetsShown = Omit<ReplyOf<typeof AskDatasets>, 'apiUrl'>;

/** Decides when the labels so far become a dataset. One thing at a time: freezing, importing and ticking wait for each other. */
export class KeepDataset {
  readonly #parts: KeepDatasetParts;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: KeepDatasetParts) {
    this.#parts = parts;
  }

  campaignStarted(campaign: { campaignId: string; samplesTotal: number | null; deadline: string | null }, cause: Cause): Promise<void> {
    // A campaign without an end would be waited for without an end.
    if (campaign.samplesTotal === null && campaign.deadline === null) return Promise.resolve();
    return this.#parts.desk.update((desk) => noteStarted(desk, campaign.campaignId), cause);
  }

  campaignClosed(closed: { campaignId: string; accepted: number }, cause: Cause): Promise<void> {
    return this.#parts.desk.update((desk) => noteClosed(desk, closed.campaignId, closed.accepted), cause);
  }

  /** Freezes when the rules say so. */
  tick(): Promise<void> {
    return this.#inTurn(async () => {
      const reason = await this.#reasonToFreeze();
      if (reason !== undefined) await this.#parts.freezer.freeze({ reason });
    });
  }

  importList(asked: Parameters<ImportDataset['handle']>[0], cause: Cause): Promise<{ datasetId: string; version: number }> {
    return this.#inTurn(() => this.#parts.importer.handle(asked, cause));
  }

  /** @throws Refusal when there is nothing to freeze */
  freezeNow(reason: string, cause: Cause): Promise<{ datasetId: string; version: number; newLabels: number }> {
    return this.#inTurn(async () => {
      const result = await this.#parts.freezer.freeze({ reason, cause });
      if (!result.frozen) throw new Refusal(result.why, SAY[result.why]);
      const { datasetId, version, counts } = result.snapshot;
      return { datasetId, version, newLabels: counts.newLabels };
    });
  }

  async show(limit: number): Promise<DatasetsShown> {
    const { desk } = await this.#parts.desk.load();
    const datasets = desk.snapshots.slice(0, limit).map(({ datasetId, version, counts, createdAtMs }) => {
      const { items, train, holdout, newLabels } = counts;
      return { datasetId, version, items, train, holdout, newLabels, createdAt: isoOf(createdAtMs) };
    });
    return { datasets, tasks: { ...this.#parts.board.counts(this.#parts.clock.now()) } };
  }

  async #reasonToFreeze(): Promise<string | undefined> {
    const { desk: desks, board, answers, clock, rules } = this.#parts;
    await answers.catchUp();
    const { desk } = await desks.load();
    const fresh = new Set(answers.since(desk.answersThrough).flatMap(({ taskId, outcome }) => (outcome === 'labeled' ? [taskId] : [])));
    if (fresh.size === 0) return undefined;
    const newLabels = fresh.size;
    const campaigns = desk.campaigns.map(({ campaignId, closedWith }) => {
      const tasks = board.tasksOf(campaignId);
      const answered = tasks.filter((taskId) => answers.has(taskId)).length;
      return { campaignId, closedWith, tasks: tasks.length, answered, newLabels: tasks.filter((taskId) => fresh.has(taskId)).length };
    });
    const decision = decideSnapshot({ newLabels, lastAnswerAtMs: answers.lastAnswerAtMs(), campaigns, nowMs: clock.now() }, rules);
    return decision.freeze ? decision.reason : undefined;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

const SAY = {
  'nothing-new': 'there is no label that the last snapshot does not hold: label some tasks first',
  'no-classes': 'nobody has said which classes there are: import a dataset, or set LABELING_CLASSES',
};

import type { Documents, Subscription } from '@edgeloop/bus';
import { statusOf, type Task, type TaskStatus } from '../domain/task.ts';
import type { TaskBoard, TaskCounts } from '../ports.ts';

type Row = Pick<Task, 'campaignId' | 'claim'> & { readonly answer: Pick<NonNullable<Task['answer']>, 'outcome'> | null };

/** A read model of all task documents: a few hundred bytes a task, rebuilt at start. */
export class WatchedBoard implements TaskBoard {
  readonly #rows = new Map<string, Row>();
  readonly #perCampaign = new Map<string, Set<string>>();
  /** In the order in which the tasks were made. */
  readonly #unanswered = new Map<string, Row>();
  #watch: Subscription | undefined;

  async start(documents: Documents<Task>): Promise<void> {
    this.#watch = await documents.watch((_key, document) => {
      if (document !== undefined) this.take(document.state);
    });
  }

  async stop(): Promise<void> {
    await this.#watch?.drain();
  }

  take({ taskId, campaignId, claim, answer }: Task): void {
    const row: Row = { campaignId, claim, answer: answer === null ? null : { outcome: answer.outcome } };
    this.#rows.set(taskId, row);
    if (answer === null) this.#unanswered.set(taskId, row);
    else this.#unanswered.delete(taskId);
    const siblings = this.#perCampaign.get(campaignId) ?? new Set();
    this.#perCampaign.set(campaignId, siblings.add(taskId));
  }

  counts(nowMs: number): TaskCounts {
    const counts = { open: 0, claimed: 0, answered: 0, skipped: 0 };
    for (const row of this.#rows.values()) counts[statusOf(fullOf(row), nowMs)] += 1;
    return counts;
  }

  list(status: TaskStatus, limit: number, nowMs: number): readonly string[] {
    const rows = status === 'open' || status === 'claimed' ? this.#unanswered : this.#rows;
    const found: string[] = [];
    for (const [taskId, row] of rows) {
      if (found.length >= limit) break;
      if (statusOf(fullOf(row), nowMs) === status) found.push(taskId);
    }
    return found;
  }

  tasksOf(campaignId: string): readonly string[] {
    return [...(this.#perCampaign.get(campaignId) ?? [])];
  }
}

function fullOf({ claim, answer }: Row): Pick<Task, 'claim' | 'answer'> {
  return { claim, answer: answer as Task['answer'] };
}

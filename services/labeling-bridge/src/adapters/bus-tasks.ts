import type { Cause, Documents, Output } from '@edgeloop/bus';
import { LabelBox, ObjectRef, PredictedBox, TaskAnswered, TaskCreated } from '@edgeloop/contracts';
import { isoOf } from '@edgeloop/runtime';
import { z } from 'zod';
import type { Task, TaskAnswer, TaskDecision } from '../domain/task.ts';
import type { Tasks } from '../ports.ts';

const milliseconds = z.number().nonnegative();

/** A document of the `tasks` bucket. */
export const StoredTask = z.object({
  taskId: z.string(),
  nodeId: z.string(),
  sampleId: z.string(),
  campaignId: z.string(),
  picture: ObjectRef,
  width: z.int().positive(),
  height: z.int().positive(),
  brightness: z.number(),
  dhash: z.string(),
  capturedAtMs: milliseconds,
  preLabels: z.array(PredictedBox),
  claim: z.object({ annotator: z.string(), untilMs: milliseconds }).nullable(),
  answer: z
    .object({
      outcome: z.enum(['labeled', 'skipped']),
      annotator: z.string(),
      boxes: z.array(LabelBox),
      labelDigest: z.string(),
      answeredAtMs: milliseconds,
    })
    .nullable(),
});

/** Tasks as state documents; the answer is announced from the document's outbox into the once-only stream of answers. */
export class BusTasks implements Tasks {
  readonly #documents: Documents<Task>;

  constructor(documents: Documents<Task>) {
    this.#documents = documents;
  }

  async create(task: Task, cause: Cause): Promise<void> {
    await this.#documents.update(
      task.taskId,
      (current) => (current === undefined ? { state: task, outputs: [created(task)] } : undefined),
      cause,
    );
  }

  async find(taskId: string): Promise<Task | undefined> {
    return (await this.#documents.load(taskId))?.state;
  }

  async decide(taskId: string, decide: (task: Task) => TaskDecision): Promise<TaskDecision | undefined> {
    let decision: TaskDecision | undefined;
    await this.#documents.update(taskId, (current) => {
      decision = current === undefined ? undefined : decide(current);
      if (current === undefined || decision?.ok !== true || decision.task === current) return undefined;
      const { task } = decision;
      return { state: task, outputs: task.answer === null ? [] : [answered(task, task.answer)] };
    });
    return decision;
  }
}

function created({ taskId, nodeId, sampleId, preLabels }: Task): Output {
  return { contract: TaskCreated, payload: { taskId, nodeId, sampleId, preLabels }, id: `task-${taskId}-created` };
}

function answered({ taskId, nodeId, sampleId }: Task, { outcome, boxes, labelDigest, annotator, answeredAtMs }: TaskAnswer): Output {
  const answeredAt = isoOf(answeredAtMs);
  return {
    contract: TaskAnswered,
    payload: { taskId, nodeId, sampleId, outcome, boxes, labelDigest, annotator, answeredAt },
    id: `task-${taskId}-answered`,
  };
}

import type { LabelBox, ObjectRef } from '@edgeloop/contracts';
import type { Clock } from '@edgeloop/runtime';
import { digestOf } from '@edgeloop/store';
import type { DeskStore, TaskBoard, Tasks } from '../ports.ts';
import { canonicalBoxes, findBoxProblem, labelText } from '../domain/label.ts';
import { decideTask, type Task, type TaskRefusal, type TaskStatus } from '../domain/task.ts';

export type TaskProblem =
  TaskRefusal | { readonly why: 'unknown-task' } | { readonly why: 'no-classes' } | { readonly why: 'bad-box'; readonly say: string };

export type TaskResult = { readonly ok: true; readonly task: Task } | { readonly ok: false; readonly problem: TaskProblem };

export interface LabelTasksParts {
  readonly tasks: Tasks;
  readonly board: TaskBoard;
  readonly desk: DeskStore;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** Classes to label with as long as no import has brought any. */
  readonly classes: readonly string[];
}

/** What people can do with tasks, whichever driver they come through. */
export class LabelTasks {
  readonly #parts: LabelTasksParts;

  constructor(parts: LabelTasksParts) {
    this.#parts = parts;
  }

  now(): number {
    return this.#parts.clock.now();
  }

  async classes(): Promise<readonly string[]> {
    const { desk } = await this.#parts.desk.load();
    return desk.classes.length > 0 ? desk.classes : this.#parts.classes;
  }

  async list(status: TaskStatus, limit: number): Promise<readonly Task[]> {
    const ids = this.#parts.board.list(status, limit, this.now());
    const found = await Promise.all(ids.map((taskId) => this.#parts.tasks.find(taskId)));
    return found.filter((task) => task !== undefined);
  }

  find(taskId: string): Promise<Task | undefined> {
    return this.#parts.tasks.find(taskId);
  }

  async pictureOf(taskId: string): Promise<ObjectRef | undefined> {
    return (await this.find(taskId))?.picture;
  }

  claim(taskId: string, annotator: string): Promise<TaskResult> {
    return this.#decide(taskId, { type: 'claim', annotator, leaseMs: this.#parts.leaseMs });
  }

  async answer(taskId: string, annotator: string, boxes: readonly LabelBox[]): Promise<TaskResult> {
    const classes = await this.classes();
    if (classes.length === 0) return { ok: false, problem: { why: 'no-classes' } };
    const problem = findBoxProblem(boxes, classes);
    if (problem !== undefined) return { ok: false, problem: { why: 'bad-box', say: `boxes.${problem.index}: ${problem.problem}` } };
    return this.#close(taskId, annotator, { outcome: 'labeled', boxes });
  }

  skip(taskId: string, annotator: string): Promise<TaskResult> {
    return this.#close(taskId, annotator, { outcome: 'skipped', boxes: [] });
  }

  #close(
    taskId: string,
    annotator: string,
    { outcome, boxes }: { outcome: 'labeled' | 'skipped'; boxes: readonly LabelBox[] },
  ): Promise<TaskResult> {
    const labelDigest = digestOf(labelText(boxes));
    return this.#decide(taskId, { type: 'answer', annotator, outcome, boxes: canonicalBoxes(boxes), labelDigest });
  }

  async #decide(taskId: string, input: Parameters<typeof decideTask>[1]): Promise<TaskResult> {
    const decision = await this.#parts.tasks.decide(taskId, (task) => decideTask(task, input, this.now()));
    if (decision === undefined) return { ok: false, problem: { why: 'unknown-task' } };
    return decision.ok ? decision : { ok: false, problem: decision.refusal };
  }
}

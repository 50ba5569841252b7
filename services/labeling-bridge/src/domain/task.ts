import type { LabelBox, ObjectRef, PredictedBox } from '@edgeloop/contracts';

export interface TaskAnswer {
  readonly outcome: 'labeled' | 'skipped';
  readonly annotator: string;
  readonly boxes: readonly LabelBox[];
  readonly labelDigest: string;
  readonly answeredAtMs: number;
}

/** One picture that people are asked to label. */
export interface Task {
  readonly taskId: string;
  readonly nodeId: string;
  readonly sampleId: string;
  readonly campaignId: string;
  readonly picture: ObjectRef;
  readonly width: number;
  readonly height: number;
  /** Mean luma 0..1. */
  readonly brightness: number;
  /** 64-bit difference hash, 16 hex digits. */
  readonly dhash: string;
  readonly capturedAtMs: number;
  readonly preLabels: readonly PredictedBox[];
  /** Who works on it, and until when nobody else may. */
  readonly claim: { readonly annotator: string; readonly untilMs: number } | null;
  readonly answer: TaskAnswer | null;
}

export type TaskStatus = 'open' | 'claimed' | 'answered' | 'skipped';

/** A claim that has run out leaves the task open. */
export function statusOf(task: Pick<Task, 'claim' | 'answer'>, nowMs: number): TaskStatus {
  if (task.answer !== null) return task.answer.outcome === 'labeled' ? 'answered' : 'skipped';
  return task.claim !== null && nowMs < task.claim.untilMs ? 'claimed' : 'open';
}

export type TaskInput =
  | { readonly type: 'claim'; readonly annotator: string; readonly leaseMs: number }
  | {
      readonly type: 'answer';
      readonly annotator: string;
      readonly outcome: 'labeled' | 'skipped';
      readonly boxes: readonly LabelBox[];
      readonly labelDigest: string;
    };

export type TaskRefusal =
  | { readonly why: 'already-answered'; readonly by: string }
  | { readonly why: 'claimed-by-other'; readonly by: string; readonly untilMs: number }
  | { readonly why: 'not-claimed' };

export type TaskDecision =
  /** `task` is the same object when nothing changed. */
  { readonly ok: true; readonly task: Task } | { readonly ok: false; readonly refusal: TaskRefusal };

export function decideTask(task: Task, input: TaskInput, nowMs: number): TaskDecision {
  switch (input.type) {
    case 'claim':
      return claim(task, input, nowMs);
    case 'answer':
      return answer(task, input, nowMs);
    default:
      return input satisfies never;
  }
}

function claim(task: Task, { annotator, leaseMs }: Extract<TaskInput, { type: 'claim' }>, nowMs: number): TaskDecision {
  if (task.answer !== null) return refuse({ why: 'already-answered', by: task.answer.annotator });
  const other = claimOfAnother(task, annotator, nowMs);
  return other ?? { ok: true, task: { ...task, claim: { annotator, untilMs: nowMs + leaseMs } } };
}

/** Who has claimed may answer, also late, as long as nobody else has claimed since. The same answer again is the same answer. */
function answer(task: Task, input: Extract<TaskInput, { type: 'answer' }>, nowMs: number): TaskDecision {
  const { annotator, outcome, boxes, labelDigest } = input;
  const given = task.answer;
  if (given !== null) {
    const same = given.annotator === annotator && given.outcome === outcome && given.labelDigest === labelDigest;
    return same ? { ok: true, task } : refuse({ why: 'already-answered', by: given.annotator });
  }
  const other = claimOfAnother(task, annotator, nowMs);
  if (other !== undefined) return other;
  if (task.claim?.annotator !== annotator) return refuse({ why: 'not-claimed' });
  return { ok: true, task: { ...task, claim: null, answer: { outcome, annotator, boxes, labelDigest, answeredAtMs: nowMs } } };
}

function claimOfAnother(task: Task, annotator: string, nowMs: number): TaskDecision | undefined {
  const held = task.claim;
  if (held === null || held.annotator === annotator || nowMs >= held.untilMs) return undefined;
  return refuse({ why: 'claimed-by-other', by: held.annotator, untilMs: held.untilMs });
}

function refuse(refusal: TaskRefusal): TaskDecision {
  return { ok: false, refusal };
}

import type { Cause } from '@edgeloop/bus';
import type { LabelBox, ObjectRef } from '@edgeloop/contracts';
import type { Desk } from './domain/desk.ts';
import type { Task, TaskDecision, TaskStatus } from './domain/task.ts';

/** Tasks by id; every change is decided on the newest state. */
export interface Tasks {
  /** Does nothing when the task is there. */
  create(task: Task, cause: Cause): Promise<void>;
  find(taskId: string): Promise<Task | undefined>;
  /** Undefined when there is no such task. A change is saved before this returns. */
  decide(taskId: string, decide: (task: Task) => TaskDecision): Promise<TaskDecision | undefined>;
}

export interface TaskCounts {
  readonly open: number;
  readonly claimed: number;
  readonly answered: number;
  readonly skipped: number;
}

/** All tasks in short, kept up to date by the bus; may lag a moment behind `Tasks`. */
export interface TaskBoard {
  counts(nowMs: number): TaskCounts;
  /** Oldest first. */
  list(status: TaskStatus, limit: number, nowMs: number): readonly string[];
  tasksOf(campaignId: string): readonly string[];
}

export interface RecordedAnswer {
  readonly taskId: string;
  readonly sampleId: string;
  readonly outcome: 'labeled' | 'skipped';
  readonly boxes: readonly LabelBox[];
  readonly labelDigest: string;
  readonly answeredAtMs: number;
  readonly sequence: number;
}

/** The once-only stream of answers, read on from where it was left. */
export interface AnswerLedger {
  catchUp(): Promise<void>;
  has(taskId: string): boolean;
  lastAnswerAtMs(): number | null;
  /** Answers that came after this sequence, oldest first. */
  since(sequence: number): readonly RecordedAnswer[];
}

/** The dataset aggregate. */
export interface DeskStore {
  load(): Promise<{ desk: Desk; revision: number }>;
  /** @throws RevisionConflictError when another replica was faster */
  saveFrozen(change: { desk: Desk; revision: number; announce: FrozenAnnouncement; cause?: Cause }): Promise<void>;
  /** `change` returns the same desk to change nothing. */
  update(change: (desk: Desk) => Desk, cause?: Cause): Promise<void>;
}

export interface FrozenAnnouncement {
  readonly datasetId: string;
  readonly version: number;
  readonly parent: string | null;
  readonly manifest: ObjectRef;
  readonly classes: readonly string[];
  readonly counts: {
    readonly items: number;
    readonly train: number;
    readonly holdout: number;
    readonly newLabels: number;
    readonly newPerClass: Record<string, number>;
    readonly perSlice: Record<string, { train: number; holdout: number }>;
  };
  readonly reason: string;
}

/** Reads what the split needs to know of a picture. */
export interface PictureReader {
  /** 64-bit difference hash, 16 hex digits. @throws when the bytes are no JPEG or PNG that decodes */
  dhash(bytes: Uint8Array): Promise<string>;
}

/**
 * Brings tasks to people and their answers back. The built-in driver serves the labeling HTTP API; a vendor's driver would list, claim
 * (in the vendor's name), push, and answer through the same desk.
 */
export interface LabelingDriver {
  /** Returns the address that people or programs use. */
  start(): Promise<{ readonly url: string }>;
  stop(): Promise<void>;
}

import type { GateVerdict, Incumbent, ModelCard, ObjectRef, RunTrigger } from '@edgeloop/contracts';
import type { MetadataValue } from './metadata-line.ts';
import type { ParameterSetting } from './valohai.ts';

export interface OutputFile {
  /** Path below the step's output folder. */
  readonly name: string;
  readonly object: ObjectRef;
}

/** A file that an execution finds below `<inputs>/<input>/`. */
export interface PlacedFile {
  readonly input: string;
  readonly name: string;
  readonly object: ObjectRef;
}

export interface FinishedExecution {
  readonly node: string;
  readonly step: string;
  /** What its parameters were, so that an edge can carry one on. */
  readonly parameters: Readonly<Record<string, ParameterSetting>>;
  /** Files of those inputs that an edge carries on. */
  readonly inputs: readonly PlacedFile[];
  readonly outputs: readonly OutputFile[];
  /** Last value of each metadata key. */
  readonly metadata: Readonly<Record<string, MetadataValue>>;
  readonly seconds: number;
}

export interface ImportedModel {
  readonly model: ObjectRef;
  readonly card: ModelCard;
  readonly goldenPictures: readonly ObjectRef[];
}

export interface CurrentExecution {
  readonly node: string;
  /** How often it was begun. */
  readonly attempt: number;
  /** Begun and, as far as is known, not ended; false once a trainer saw it end (its own stop, an outage): then it did not crash. */
  readonly underWay: boolean;
  /** How often it was begun again while it was still thought to be under way: each time the trainer had died over it. */
  readonly crashes: number;
}

export type RunStatus = 'running' | 'completed' | 'refused' | 'failed' | 'cancelled' | 'timed-out';

/** One run of a pipeline. Times are milliseconds since 1970. */
export interface Run {
  readonly runId: string;
  readonly pipeline: string;
  /** The turn of the loop that it belongs to. */
  readonly correlationId: string;
  readonly trigger: RunTrigger;
  readonly newLabels: number;
  readonly dataset: { readonly datasetId: string; readonly manifest: ObjectRef } | null;
  readonly incumbent: Incumbent | null;
  readonly model: { readonly name: string; readonly version: string };
  readonly imported: ImportedModel | null;
  readonly status: RunStatus;
  /** Execution that was begun last and has not finished. */
  readonly current: CurrentExecution | null;
  readonly finished: readonly FinishedExecution[];
  readonly gate: GateVerdict | null;
  readonly cancelAsked: boolean;
  readonly startedAt: number;
  readonly deadlineAt: number;
  readonly endedAt: number | null;
  readonly reason: string | null;
  /** Which replica works on it, and until when it may be believed to. */
  readonly lease: { readonly owner: string; readonly until: number } | null;
}

/** An execution over which the trainer died this often will kill it again; the run fails. Outages and restarts do not count. */
export const CRASHES_MAX = 4;

export type NextStep =
  | { readonly type: 'execute'; readonly node: string; readonly attempt: number }
  | { readonly type: 'judge' }
  | { readonly type: 'complete' }
  | {
      readonly type: 'end';
      readonly status: Exclude<RunStatus, 'running' | 'completed'>;
      readonly node: string | null;
      readonly reason: string;
    };

/**
 * What a run needs next. The gate stands behind the execution that writes the evaluation and before whatever follows it.
 * `nodes` is the plan in order; `evaluationNode` the one whose outcome is judged (null: nothing to judge).
 */
export function nextStep(
  run: Run,
  plan: { readonly nodes: readonly string[]; readonly evaluationNode: string | null },
  nowMs: number,
): NextStep {
  const next = plan.nodes.find((node) => !run.finished.some((done) => done.node === node)) ?? null;
  if (run.cancelAsked) return { type: 'end', status: 'cancelled', node: next, reason: 'cancelled by hand' };
  if (nowMs >= run.deadlineAt)
    return {
      type: 'end',
      status: 'timed-out',
      node: next,
      reason: `took longer than ${Math.round((run.deadlineAt - run.startedAt) / 1000)} s`,
    };
  const evaluated = plan.evaluationNode !== null && run.finished.some((done) => done.node === plan.evaluationNode);
  if (evaluated && run.gate === null) return { type: 'judge' };
  if (run.gate?.verdict === 'refused')
    return { type: 'end', status: 'refused', node: plan.evaluationNode, reason: run.gate.reasons.join('; ') };
  if (next === null) return { type: 'complete' };
  const current = run.current?.node === next ? run.current : null;
  if (crashesOf(current) >= CRASHES_MAX) {
    const reason = `the trainer died ${CRASHES_MAX} times while ${next} ran: look for a lack of memory, and give the step less to do at once`;
    return { type: 'end', status: 'failed', node: next, reason };
  }
  return { type: 'execute', node: next, attempt: (current?.attempt ?? 0) + 1 };
}

/** Whoever finds an execution under way that it did not begin itself comes after a crash. */
function crashesOf(current: CurrentExecution | null): number {
  return current === null ? 0 : current.crashes + (current.underWay ? 1 : 0);
}

export type RunChange =
  | { readonly type: 'leased'; readonly owner: string; readonly until: number }
  /** Its holder lets go of it. */
  | { readonly type: 'released'; readonly owner: string }
  | { readonly type: 'began'; readonly node: string; readonly attempt: number }
  /** The attempt ended without finishing, and the trainer lives to say so. */
  | { readonly type: 'broke-off' }
  | { readonly type: 'finished'; readonly execution: FinishedExecution }
  | { readonly type: 'judged'; readonly gate: GateVerdict }
  | { readonly type: 'cancel-asked' }
  | { readonly type: 'ended'; readonly status: Exclude<RunStatus, 'running'>; readonly at: number; readonly reason: string | null };

/** Applies one change; a change that came before, or comes after the end, changes nothing. */
export function evolve(run: Run, change: RunChange): Run {
  if (run.status !== 'running') return run;
  switch (change.type) {
    case 'leased':
      return { ...run, lease: { owner: change.owner, until: change.until } };
    case 'released':
      return run.lease?.owner === change.owner ? { ...run, lease: null, current: brokenOff(run.current) } : run;
    case 'began':
      return began(run, change);
    case 'broke-off':
      return run.current?.underWay ? { ...run, current: brokenOff(run.current) } : run;
    case 'finished':
      if (run.finished.some((done) => done.node === change.execution.node)) return run;
      return { ...run, current: null, finished: [...run.finished, change.execution] };
    case 'judged':
      return run.gate === null ? { ...run, gate: change.gate } : run;
    case 'cancel-asked':
      return run.cancelAsked ? run : { ...run, cancelAsked: true };
    case 'ended':
      return { ...run, status: change.status, endedAt: change.at, reason: change.reason, current: null, lease: null };
    default:
      return never(change);
  }
}

function began(run: Run, { node, attempt }: { readonly node: string; readonly attempt: number }): Run {
  const before = run.current?.node === node ? run.current : null;
  if (before !== null && before.attempt >= attempt) return run;
  return { ...run, current: { node, attempt, underWay: true, crashes: crashesOf(before) } };
}

function brokenOff(current: CurrentExecution | null): CurrentExecution | null {
  return current && { ...current, underWay: false };
}

function never(change: never): never {
  throw new TypeError(`unknown change ${JSON.stringify(change)}`);
}

export function isHeldBy(run: Run | undefined, owner: string): boolean {
  return run?.status === 'running' && run.lease?.owner === owner;
}

/** A replica may take a run that nobody holds, that it holds itself, or whose holder fell silent. */
export function mayLease(run: Run, owner: string, nowMs: number): boolean {
  return run.status === 'running' && (run.lease === null || run.lease.owner === owner || run.lease.until <= nowMs);
}

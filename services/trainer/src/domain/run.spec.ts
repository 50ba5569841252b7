import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CRASHES_MAX, evolve, mayLease, nextStep } from './run.ts';
import type { FinishedExecution, Run, RunChange } from './run.ts';

const plan = { nodes: ['pre-process', 'train', 'evaluate', 'deploy'], evaluationNode: 'evaluate' };
const gate = (verdict: 'passed' | 'refused') => ({ verdict, reasons: ['night 0.5 against 0.1'], evaluation: null });
const finished = (node: string): FinishedExecution => ({
  node,
  step: node,
  parameters: {},
  inputs: [],
  outputs: [],
  metadata: {},
  seconds: 1,
});

function started(): Run {
  return {
    runId: 'run-1',
    pipeline: 'retrain',
    correlationId: 'turn-1',
    trigger: { kind: 'new-labels', reason: '100 new labels' },
    newLabels: 100,
    dataset: null,
    incumbent: null,
    model: { name: 'hardhat', version: 'v2' },
    imported: null,
    status: 'running',
    current: null,
    finished: [],
    gate: null,
    cancelAsked: false,
    startedAt: 0,
    deadlineAt: 10_000,
    endedAt: null,
    reason: null,
    lease: null,
  };
}

const after = (...changes: RunChange[]): Run => changes.reduce(evolve, started());
const done = (...nodes: string[]): RunChange[] => nodes.map((node) => ({ type: 'finished', execution: finished(node) }));

describe('a run', () => {
  it('begins with the first execution of the plan', () => {
    expect(nextStep(started(), plan, 0)).toEqual({ type: 'execute', node: 'pre-process', attempt: 1 });
  });

  it('begins an execution again that was under way when its runner died, and counts', () => {
    expect(nextStep(after({ type: 'began', node: 'pre-process', attempt: 1 }), plan, 0)).toEqual({
      type: 'execute',
      node: 'pre-process',
      attempt: 2,
    });
  });

  const begin = (attempt: number): RunChange => ({ type: 'began', node: 'pre-process', attempt });
  const begins = (count: number): RunChange[] => Array.from({ length: count }, (_, index) => begin(index + 1));

  it('fails when its trainer died over an execution too often, not when once less', () => {
    expect(nextStep(after(...begins(CRASHES_MAX - 1)), plan, 0)).toMatchObject({ type: 'execute', attempt: CRASHES_MAX });
    expect(nextStep(after(...begins(CRASHES_MAX)), plan, 0)).toMatchObject({
      type: 'end',
      status: 'failed',
      node: 'pre-process',
      reason: expect.stringContaining(`died ${CRASHES_MAX} times while pre-process ran`),
    });
  });

  it.each<[string, RunChange[]]>([
    ['an outage', [{ type: 'broke-off' }]],
    ['a restart', [{ type: 'released', owner: 'a' }]],
  ])('goes on after any number of begins that %s ended', (_, ending) => {
    const held: RunChange = { type: 'leased', owner: 'a', until: 100 };
    const often = begins(CRASHES_MAX * 3).flatMap((each) => [held, each, ...ending]);
    expect(nextStep(after(...often), plan, 0)).toEqual({ type: 'execute', node: 'pre-process', attempt: CRASHES_MAX * 3 + 1 });
  });

  it('counts crashes of one execution, not of all together', () => {
    const almost = after(...begins(CRASHES_MAX - 1), ...done('pre-process'), { type: 'began', node: 'train', attempt: 1 });
    expect(nextStep(almost, plan, 0)).toEqual({ type: 'execute', node: 'train', attempt: 2 });
  });

  it('counts a begin once, however often it is saved', () => {
    const repeated = after(...Array.from({ length: CRASHES_MAX * 2 }, () => begin(1)));
    expect(nextStep(repeated, plan, 0)).toEqual({ type: 'execute', node: 'pre-process', attempt: 2 });
  });

  it('is let go by its holder alone', () => {
    const held = after({ type: 'leased', owner: 'new', until: 100 }, begin(1));
    expect(evolve(held, { type: 'released', owner: 'old' })).toEqual(held);
    expect(evolve(held, { type: 'released', owner: 'new' })).toMatchObject({ lease: null, current: { underWay: false } });
  });

  it('is judged after the evaluation and before the deployment', () => {
    expect(nextStep(after(...done('pre-process', 'train', 'evaluate')), plan, 0)).toEqual({ type: 'judge' });
  });

  it('ends without deploying when the gate says no', () => {
    const refused = after(...done('pre-process', 'train', 'evaluate'), { type: 'judged', gate: gate('refused') });
    expect(nextStep(refused, plan, 0)).toMatchObject({ type: 'end', status: 'refused', reason: 'night 0.5 against 0.1' });
  });

  it('deploys and completes when the gate says yes', () => {
    const passed = after(...done('pre-process', 'train', 'evaluate'), { type: 'judged', gate: gate('passed') });
    expect(nextStep(passed, plan, 0)).toMatchObject({ type: 'execute', node: 'deploy' });
    expect(nextStep(evolve(passed, { type: 'finished', execution: finished('deploy') }), plan, 0)).toEqual({ type: 'complete' });
  });

  it('times out exactly at its deadline', () => {
    expect(nextStep(started(), plan, 9_999).type).toBe('execute');
    expect(nextStep(started(), plan, 10_000)).toMatchObject({ type: 'end', status: 'timed-out' });
  });

  it('is cancelled before anything else', () => {
    expect(nextStep(after({ type: 'cancel-asked' }), plan, 99_999)).toMatchObject({ type: 'end', status: 'cancelled' });
  });

  it('is taken over only when its holder fell silent', () => {
    const held = after({ type: 'leased', owner: 'a', until: 100 });
    expect([mayLease(held, 'b', 99), mayLease(held, 'b', 100), mayLease(held, 'a', 50)]).toEqual([false, true, true]);
  });

  it('changes nothing when a change is repeated, or comes after the end', () => {
    const change = fc.oneof(
      fc.constantFrom(...plan.nodes).map((node): RunChange => ({ type: 'finished', execution: finished(node) })),
      fc.constant<RunChange>({ type: 'judged', gate: gate('passed') }),
      fc.constant<RunChange>({ type: 'cancel-asked' }),
      fc.constant<RunChange>({ type: 'broke-off' }),
      fc.constant<RunChange>({ type: 'released', owner: 'a' }),
      fc.constant<RunChange>({ type: 'ended', status: 'completed', at: 5, reason: null }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const once = changes.reduce(evolve, started());
        expect(
          [...changes, ...changes]
            .reduce(evolve, started())
            .finished.map((each) => each.node)
            .sort(),
        ).toEqual(once.status === 'running' ? once.finished.map((each) => each.node).sort() : expect.any(Array));
        for (const each of changes) expect(evolve(once, each)).toEqual(once);
      }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { decideTask, statusOf, type Task, type TaskInput } from './task.ts';

const fresh: Task = {
  taskId: 't',
  nodeId: 'n1',
  sampleId: 's',
  campaignId: 'base',
  picture: { bucket: 'samples', key: 'k', digest: `sha256:${'0'.repeat(64)}`, bytes: 1 },
  width: 1,
  height: 1,
  brightness: 0.5,
  dhash: '0'.repeat(16),
  capturedAtMs: 0,
  preLabels: [],
  claim: null,
  answer: null,
};
const claim = (annotator: string): TaskInput => ({ type: 'claim', annotator, leaseMs: 100 });
const answer = (annotator: string, labelDigest = 'd1'): TaskInput => ({
  type: 'answer',
  annotator,
  outcome: 'labeled',
  boxes: [],
  labelDigest,
});

function after(...steps: readonly [TaskInput, number][]): Task {
  return steps.reduce((task, [input, nowMs]) => {
    const decision = decideTask(task, input, nowMs);
    if (!decision.ok) throw new Error(decision.refusal.why);
    return decision.task;
  }, fresh);
}

function refusal(task: Task, input: TaskInput, nowMs: number): string | undefined {
  const decision = decideTask(task, input, nowMs);
  return decision.ok ? undefined : decision.refusal.why;
}

describe('a task', () => {
  it('is held for who claimed it, exactly until the lease ends', () => {
    const claimed = after([claim('ann'), 0]);
    expect(statusOf(claimed, 99)).toBe('claimed');
    expect(refusal(claimed, claim('bob'), 99)).toBe('claimed-by-other');
    expect(statusOf(claimed, 100)).toBe('open');
    expect(refusal(claimed, claim('bob'), 100)).toBeUndefined();
  });

  it('can be claimed again by the same person, for longer', () => {
    expect(after([claim('ann'), 0], [claim('ann'), 50]).claim).toEqual({ annotator: 'ann', untilMs: 150 });
  });

  it('is answered by who claimed it, also late, unless somebody else has claimed it since', () => {
    const late = after([claim('ann'), 0]);
    expect(refusal(late, answer('ann'), 500)).toBeUndefined();
    expect(refusal(after([claim('ann'), 0], [claim('bob'), 100]), answer('ann'), 150)).toBe('claimed-by-other');
    expect(refusal(late, answer('bob'), 50)).toBe('claimed-by-other');
    expect(refusal(late, answer('bob'), 500)).toBe('not-claimed');
    expect(refusal(fresh, answer('ann'), 0)).toBe('not-claimed');
  });

  it('is answered once; the same answer again is no conflict and changes nothing', () => {
    const answered = after([claim('ann'), 0], [answer('ann'), 1]);
    expect(statusOf(answered, 2)).toBe('answered');
    expect(decideTask(answered, answer('ann'), 9)).toEqual({ ok: true, task: answered });
    expect(after([claim('ann'), 0], [answer('ann'), 1], [answer('ann'), 5]).answer?.answeredAtMs).toBe(1);
    expect(refusal(answered, answer('ann', 'd2'), 9)).toBe('already-answered');
    expect(refusal(answered, answer('bob'), 9)).toBe('already-answered');
    expect(refusal(answered, claim('bob'), 9)).toBe('already-answered');
  });
});

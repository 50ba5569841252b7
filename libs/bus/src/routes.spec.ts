import { RunCompleted, RunStarted, RunStepStarted, SampleAccepted } from '@edgeloop/contracts';
import { describe, expect, it } from '@jest/globals';
import type { Handled } from './api.ts';
import { WiringError } from './errors.ts';
import { Routes } from './routes.ts';

const handled = (contract: Handled['contract']): Handled => ({ contract, handle: () => undefined });

describe('routes', () => {
  it('find the contract of a subject and read its tokens', () => {
    const routes = new Routes([handled(RunStarted), handled(RunStepStarted), handled(SampleAccepted)]);
    expect(routes.find('run.v1.r1.step-started')).toMatchObject({
      contract: RunStepStarted,
      typeId: 'run.step-started.v1',
      tokens: { runId: 'r1' },
    });
    expect(routes.find('sample.v1.n1.s1')?.tokens).toEqual({ nodeId: 'n1', sampleId: 's1' });
    expect(routes.patterns).toEqual(['run.v1.*.started', 'run.v1.*.step-started', 'sample.v1.*.*']);
  });

  it.each(['run.v1.r1.completed', 'run.v1.r1', 'run.v2.r1.started', 'run.v1.r1.started.more', 'unknown', ''])(
    'find nothing for %p',
    (subject) => {
      expect(new Routes([handled(RunStarted)]).find(subject)).toBeUndefined();
    },
  );

  it('refuse two handlers of one contract, and none at all', () => {
    expect(() => new Routes([handled(RunCompleted), handled(RunCompleted)])).toThrow(WiringError);
    expect(() => new Routes([])).toThrow(WiringError);
  });
});

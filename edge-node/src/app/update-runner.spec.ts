import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';
import { pino } from 'pino';
import { StepFailedError } from '../domain/failure.ts';
import { emptyNodeState, FRESH_LIVE } from '../domain/node-state.ts';
import type { NodeState, PendingReport } from '../domain/node-state.ts';
import { desired, release } from '../domain/updater.spec-kit.ts';
import type { Step } from '../domain/step.ts';
import type { StepResult } from '../executors/executor.ts';
import { UpdateRunner } from './update-runner.ts';

type Execute = (step: Step, signal: AbortSignal) => Promise<StepResult>;

const serves: Execute = async (step) => {
  if (step.kind === 'switch' || step.kind === 'resume') return { serving: step.release.packageDigest };
  if (step.kind === 'roll-back') return { serving: step.proven?.release.packageDigest ?? null };
  return step.kind === 'retire' ? { serving: null } : {};
};

const runners: { runner: UpdateRunner; running: Promise<void> }[] = [];
afterEach(async () => {
  for (const { runner, running } of runners.splice(0)) {
    runner.stop();
    await running;
  }
});

function runnerWith(options: { execute?: Execute; save?: (state: NodeState) => Promise<void>; state?: NodeState } = {}) {
  const steps: string[] = [];
  const saved: NodeState[] = [];
  const reports: PendingReport[] = [];
  const runner = new UpdateRunner({
    state: { node: options.state ?? emptyNodeState('epoch-12345'), live: FRESH_LIVE },
    store: { save: options.save ?? (async (state) => void saved.push(state)) },
    execute: async (step, signal) => {
      steps.push(step.kind);
      return (options.execute ?? serves)(step, signal);
    },
    spoolReports: (pending) => void reports.push(...pending),
    clock: { now: () => 1_767_225_600_000 },
    chance: () => 0,
    log: pino({ level: 'silent' }),
  });
  runners.push({ runner, running: runner.run() });
  return { runner, steps, saved, reports };
}

const provenIs = (runner: UpdateRunner, releaseId: string | undefined) =>
  eventually(() => expect(runner.state.node.proven?.release.releaseId).toBe(releaseId));

describe('the runner of the update flow', () => {
  it('takes every planned step, storing each before it starts', async () => {
    const storedBefore: (string | undefined)[] = [];
    const { runner, saved } = runnerWith({
      execute: async (step, signal) => {
        if (step.kind === 'probe') storedBefore.push(saved.at(-1)?.deployment?.step);
        return serves(step, signal);
      },
    });
    await runner.accept(desired(1, release('a')));
    await provenIs(runner, 'model-a');
    expect(storedBefore).toEqual(['probe']);
    expect(saved.at(-1)?.proven?.release.releaseId).toBe('model-a');
  });

  it('hands every report over once, and the state forgets it', async () => {
    const { runner, reports } = runnerWith();
    await runner.accept(desired(1, release('a')));
    await provenIs(runner, 'model-a');
    expect(reports.map(({ sequence }) => sequence)).toEqual(reports.map((_, index) => index));
    expect(reports.at(-1)).toMatchObject({ outcome: 'committed' });
    expect(runner.state.node.outbox).toEqual([]);
  });

  it('ends a step that a newer desire makes pointless', async () => {
    let aborted: unknown;
    const { runner, steps } = runnerWith({
      execute: (step, signal) => {
        if (step.kind !== 'download' || step.release.releaseId !== 'model-a') return serves(step, signal);
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            aborted = signal.reason;
            reject(signal.reason as Error);
          }),
        );
      },
    });
    await runner.accept(desired(1, release('a')));
    await eventually(() => expect(steps).toContain('download'));
    await runner.accept(desired(2, release('b')));
    await provenIs(runner, 'model-b');
    expect(aborted).toMatchObject({ name: 'AbortError' });
    expect(runner.state.node.bad).toBeNull();
  });

  it('lets a step go on when the newer desire wants the same package', async () => {
    let finish: (() => void) | undefined;
    const { runner, steps } = runnerWith({
      execute: async (step, signal) => {
        if (step.kind === 'download') await new Promise<void>((resolve) => (finish = resolve));
        return serves(step, signal);
      },
    });
    await runner.accept(desired(1, release('a')));
    await eventually(() => expect(finish).toBeDefined());
    await runner.accept(desired(2, release('a')));
    finish?.();
    await provenIs(runner, 'model-a');
    expect(steps.filter((step) => step === 'download')).toHaveLength(1);
    expect(runner.state.node.proven?.generation).toBe(2);
  });

  it('gives a step with a final failure up, and what it does not know counts as an attempt', async () => {
    const failing = runnerWith({
      execute: async (step, signal) => {
        if (step.kind === 'stage') throw new StepFailedError({ reason: 'package-invalid', detail: 'no zip', severity: 'final' });
        return serves(step, signal);
      },
    });
    await failing.runner.accept(desired(1, release('a')));
    await eventually(() =>
      expect(failing.reports.at(-1)).toMatchObject({ outcome: 'rejected', reason: 'package-invalid', detail: 'no zip' }),
    );
    expect(failing.steps.filter((step) => step === 'stage')).toHaveLength(1);
  });

  it('does not start a step that could not be stored, and goes on when it can', async () => {
    let broken = true;
    let refused = 0;
    const { runner, steps } = runnerWith({
      save: async () => {
        if (!broken) return;
        refused += 1;
        throw new Error('the disk is full');
      },
    });
    const accepted = runner.accept(desired(1, release('a')));
    await eventually(() => expect(refused).toBeGreaterThan(1));
    expect(steps).not.toContain('verify');
    expect(runner.state.node.desired).toBeNull();
    broken = false;
    await accepted;
    await provenIs(runner, 'model-a');
  });

  it('brings the proven release back when its process is gone', async () => {
    const { runner, steps } = runnerWith();
    await runner.accept(desired(1, release('a')));
    await provenIs(runner, 'model-a');
    await runner.generationLost(release('a').packageDigest);
    await eventually(() => expect(steps).toContain('resume'));
    await eventually(() => expect(runner.state.live.serving).toBe(release('a').packageDigest));
    runner.servedWell();
    await eventually(() => expect(runner.state.live.failuresInARow).toBe(0));
  });
});

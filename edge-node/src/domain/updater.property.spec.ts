import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Updater } from './node-state.ts';
import { plan } from './plan.ts';
import { advance, crashed, failed, fresh, nextStep, release, started, succeeded, wants } from './updater.spec-kit.ts';
import { evolve } from './updater.ts';

type Happening =
  | { kind: 'step-well' }
  | { kind: 'step-ill'; severity: 'wait' | 'retry' | 'final' }
  | { kind: 'started-then-crashed' }
  | { kind: 'done-but-crashed-before-it-was-stored' }
  | { kind: 'stale-result' }
  | { kind: 'process-lost' }
  | { kind: 'desired'; generation: number; letter: 'a' | 'b' | 'c' | null };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 10, arbitrary: fc.constant<Happening>({ kind: 'step-well' }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('step-ill' as const), severity: fc.constantFrom('wait', 'retry', 'final') }) },
  { weight: 2, arbitrary: fc.constant<Happening>({ kind: 'started-then-crashed' }) },
  { weight: 1, arbitrary: fc.constant<Happening>({ kind: 'done-but-crashed-before-it-was-stored' }) },
  { weight: 1, arbitrary: fc.constant<Happening>({ kind: 'stale-result' }) },
  { weight: 1, arbitrary: fc.constant<Happening>({ kind: 'process-lost' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('desired' as const),
      generation: fc.integer({ min: 1, max: 8 }),
      letter: fc.constantFrom('a', 'b', 'c', null),
    }),
  },
);

function happen(state: Updater, what: Happening): Updater {
  const step = nextStep(state);
  switch (what.kind) {
    case 'desired':
      return wants(state, what.generation, what.letter === null ? null : release(what.letter));
    case 'process-lost':
      return evolve(state, { type: 'generation-lost', packageDigest: state.live.serving ?? '' });
    case 'stale-result':
      return failed(succeeded(state, step === 'download' ? 'stage' : 'download'), step === 'probe' ? 'verify' : 'probe');
    default:
      return step === undefined ? state : takeStep(state, step, what);
  }
}

function takeStep(state: Updater, step: NonNullable<ReturnType<typeof nextStep>>, what: Happening): Updater {
  const begun = started(state, step);
  if (nextStep(begun) !== step) return begun;
  if (what.kind === 'step-well') return succeeded(begun, step);
  // A proven slot that is damaged beyond use is a history of its own (see the examples).
  if (what.kind === 'step-ill') return failed(begun, step, { severity: step === 'resume' ? 'retry' : what.severity });
  return crashed(begun);
}

function expectSound(state: Updater): void {
  const { node, live } = state;
  const allowed = [null, node.proven?.release.packageDigest, node.deployment?.release.packageDigest];
  expect(allowed).toContain(live.serving);
  const sequences = node.outbox.map((report) => report.sequence);
  expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
  expect(new Set(sequences).size).toBe(sequences.length);
}

describe('any interleaving of steps, failures, crashes, lost processes, stale results and repeated desires', () => {
  it('ends at rest with exactly one active package: the desired one, or the proven one when that was bad', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        let state = fresh();
        for (const what of happenings) {
          state = happen(state, what);
          expectSound(state);
        }
        const rest = advance(state);
        const { node, live } = rest;
        expect(node.deployment).toBeNull();
        expect(plan(rest)).toEqual([]);
        expect(live.serving).toBe(node.proven?.release.packageDigest ?? null);
        const target = node.desired?.release ?? null;
        if (target !== null && node.bad?.packageDigest !== target.packageDigest) expect(live.serving).toBe(target.packageDigest);
        if (node.desired !== null && target === null) expect(live.serving).toBeNull();
      }),
      { numRuns: 400 },
    );
  });

  it('once a release is proven, a node whose newer releases all fail never loses it', () => {
    const failing = fc.array(fc.constantFrom('final', 'retry', 'crash', 'well'), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(failing, (ends) => {
        let state = wants(advance(wants(fresh(), 1, release('a'))), 2, release('b'));
        for (const end of ends) {
          const step = nextStep(state);
          if (step === undefined || step === 'commit') break;
          const begun = started(state, step);
          if (nextStep(begun) !== step) state = begun;
          else if (end === 'well') state = succeeded(begun, step);
          else if (end === 'crash') state = crashed(begun);
          else state = failed(begun, step, { severity: step === 'resume' ? 'retry' : end });
          expect(state.node.proven?.release.releaseId).toBe('model-a');
        }
      }),
      { numRuns: 300 },
    );
  });

  it('accepts desired generations in any order and any number of times, and keeps the newest', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (generations) => {
        const state = generations.reduce((now, generation) => wants(now, generation, release('a')), fresh());
        expect(state.node.desired?.generation).toBe(Math.max(...generations));
        expect(state.node.deployment?.generation).toBe(Math.max(...generations));
      }),
    );
  });
});

import type { Desired } from '@edgeloop/contracts';
import type { Failure } from './failure.ts';
import { emptyNodeState, FRESH_LIVE } from './node-state.ts';
import type { Updater } from './node-state.ts';
import { plan } from './plan.ts';
import type { DesiredRelease } from './release.ts';
import type { StepKind } from './step.ts';
import { evolve } from './updater.ts';
import type { UpdaterEvent } from './updater-event.ts';

export const digestOf = (letter: string): string => `sha256:${letter.charCodeAt(0).toString(16).padStart(64, '0')}`;

export function release(letter: string, rolloutId: string | null = `rollout-${letter}`): DesiredRelease {
  return {
    releaseId: `model-${letter}`,
    name: 'model',
    version: 'v1',
    rolloutId,
    targetPath: `model-${letter}.zip`,
    packageDigest: digestOf(letter),
    packageBytes: 1_000,
    modelDigest: digestOf(letter.toUpperCase()),
  };
}

export function desired(generation: number, of: DesiredRelease | null): Desired {
  return {
    nodeId: 'node-1',
    generation,
    issuedAt: '2026-01-01T00:00:00.000Z',
    release: of,
    policy: { policyId: 'base', version: generation, rules: [], nearDuplicateBits: 0, samplesMax: null },
    campaignId: 'base',
  };
}

export const fresh = (): Updater => evolve({ node: emptyNodeState('epoch-1'), live: FRESH_LIVE }, { type: 'booted', atMs: 0 });
export const wants = (state: Updater, generation: number, of: DesiredRelease | null): Updater =>
  evolve(state, { type: 'desired-accepted', atMs: 1, desired: desired(generation, of) });
export const started = (state: Updater, step: StepKind): Updater => evolve(state, { type: 'step-started', atMs: 2, step });
export const failed = (state: Updater, step: StepKind, failure: Partial<Failure> = {}): Updater =>
  evolve(state, {
    type: 'step-failed',
    atMs: 3,
    step,
    failure: { reason: 'io-error', detail: 'said the disk', severity: 'final', ...failure },
  });
/** The agent is killed and starts again: only what was stored is left. */
export const crashed = (state: Updater): Updater => evolve({ node: state.node, live: FRESH_LIVE }, { type: 'booted', atMs: 4 });

/** What the executor would say: who serves frames after the step. */
export function succeeded(state: Updater, step: StepKind): Updater {
  const { node } = state;
  const event: UpdaterEvent = { type: 'step-succeeded', atMs: 2, step };
  if (step === 'resume' || step === 'roll-back') return evolve(state, { ...event, serving: node.proven?.release.packageDigest ?? null });
  if (step === 'switch') return evolve(state, { ...event, serving: node.deployment?.release.packageDigest ?? null });
  return evolve(state, step === 'retire' ? { ...event, serving: null } : event);
}

export function nextStep(state: Updater): StepKind | undefined {
  return plan(state)[0]?.kind;
}

/** Takes steps as planned, all of them well, until `until` is next (or nothing is left). */
export function advance(state: Updater, until?: StepKind): Updater {
  let now = state;
  for (let guard = 0; guard < 100; guard += 1) {
    const step = nextStep(now);
    if (step === undefined || step === until) return now;
    const begun = started(now, step);
    now = nextStep(begun) === step ? succeeded(begun, step) : begun;
  }
  throw new Error(`never came to ${until ?? 'rest'}`);
}

/** Runs a release from nothing to proven. */
export const proven = (letter: string, generation = 1): Updater => advance(wants(fresh(), generation, release(letter)));

import type { RolloutRelease, RolloutStrategy } from '@edgeloop/contracts';
import { expect } from '@jest/globals';
import { decide } from './decide.ts';
import type { RolloutInput } from './decide.ts';
import { evolveAll } from './evolve.ts';
import { ordered } from './rollout.ts';
import type { Candidate, Rollout, RolloutEvent } from './rollout.ts';
import { look } from './sight.ts';
import type { Beat, HealthLimits, Sight } from './sight.ts';
import type { Seen } from './vision.ts';
import type { Observation } from './watch-node.ts';

export const START = 1_000_000;
export const LIMITS: HealthLimits = { heartbeatStaleMs: 15_000, inferenceStaleMs: 30_000 };
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;

export function release(version: string, letter = version.slice(-1)): RolloutRelease {
  return {
    releaseId: `hardhat-${version}`,
    name: 'hardhat',
    version,
    targetPath: `hardhat/${version}.zip`,
    packageDigest: digest('e'),
    packageBytes: 1000,
    modelDigest: digest(letter),
  };
}

export const OLD = release('v1');
export const NEW = release('v2');

export const STRATEGY: RolloutStrategy = {
  waves: [{ count: 1 }, { percent: 50 }, { percent: 100 }],
  deploymentTimeoutMs: 60_000,
  soakMs: 10_000,
  abort: { failedPercent: 20, failedCountMin: 1 },
  seed: 7,
};

export function candidates(count: number, more: Partial<Candidate> = {}): Candidate[] {
  return Array.from({ length: count }, (_, index) => ({
    nodeId: `n${index + 1}`,
    previous: OLD.releaseId,
    exposed: false,
    baseline: null,
    ...more,
  }));
}

export interface Ordered {
  readonly strategy?: Partial<RolloutStrategy>;
  readonly startedAt?: number;
  readonly rolloutId?: string;
}

export function orderedRollout({ strategy = {}, startedAt = START, rolloutId = 'r1' }: Ordered = {}): Rollout {
  return ordered({
    rolloutId,
    release: NEW,
    selection: { all: true },
    strategy: { ...STRATEGY, ...strategy },
    reason: 'published',
    origin: null,
    at: startedAt,
  });
}

export function begunRollout(nodes: readonly Candidate[], order: Ordered = {}): Rollout {
  const rollout = orderedRollout(order);
  return after(rollout, { type: 'begin', at: rollout.startedAt, candidates: nodes, releases: { [OLD.releaseId]: OLD } });
}

/** Applies what follows from the inputs. */
export function after(rollout: Rollout, ...inputs: RolloutInput[]): Rollout {
  return inputs.reduce((state, input) => evolveAll(state, decide(state, input)), rollout);
}

export function beat(nodeId: string, sequence: number, more: Partial<Beat> = {}): Beat {
  return {
    nodeId,
    epoch: 'epoch-0001',
    sequence,
    running: { releaseId: NEW.releaseId, modelDigest: NEW.modelDigest, generation: 2 },
    phase: 'idle',
    desiredGeneration: 2,
    framesTotal: sequence * 10,
    inferenceErrors: 0,
    lastInferenceAgoMs: 100,
    ...more,
  };
}

/** A node that ran for two heartbeats up to `now`. */
export function sightAt(nodeId: string, now: number, more: Partial<Beat> = {}): Sight {
  const sequence = Math.floor(now / 1000);
  return look(look(undefined, beat(nodeId, sequence - 1, more), now - 1000), beat(nodeId, sequence, more), now);
}

export const RUNS_OLD: Partial<Beat> = { running: { releaseId: OLD.releaseId, modelDigest: OLD.modelDigest, generation: 1 } };

export interface Shown {
  readonly beat?: Partial<Beat>;
  readonly seen?: Seen;
  readonly desired?: { releaseId: string | null; generation: number };
}

/** A look at the clock and at the nodes that are named; the others are silent. */
export function watch(now: number, nodes: Readonly<Record<string, Shown>> = {}): RolloutInput {
  const observations = new Map<string, Observation>(
    Object.entries(nodes).map(([nodeId, shown]) => [
      nodeId,
      {
        sight: sightAt(nodeId, now, shown.beat ?? {}),
        ...(shown.seen === undefined ? {} : { seen: shown.seen }),
        ...(shown.desired === undefined ? {} : { desired: shown.desired }),
      },
    ]),
  );
  return { type: 'watch', now, limits: LIMITS, observations };
}

/** Runs the new weights and stays healthy through the soak: two looks at the named nodes. */
export function proving(nodeIds: readonly string[], from: number, soakMs = STRATEGY.soakMs): RolloutInput[] {
  const shown = Object.fromEntries(nodeIds.map((nodeId) => [nodeId, {}]));
  return [watch(from, shown), watch(from + soakMs, shown)];
}

export function failedReport(nodeId: string, at: number, reason = 'golden-mismatch'): RolloutInput {
  return { type: 'reported', at, nodeId, rolloutId: 'r1', releaseId: NEW.releaseId, outcome: 'failed', reason };
}

export function types(events: readonly RolloutEvent[]): string[] {
  return events.map(({ type }) => type);
}

/** given(state).when(input).gives(types of events). */
export function given(rollout: Rollout): { when(input: RolloutInput): { gives(...expected: string[]): readonly RolloutEvent[] } } {
  return {
    when: (input) => ({
      gives: (...expected) => {
        const events = decide(rollout, input);
        expect(types(events)).toEqual(expected);
        return events;
      },
    }),
  };
}

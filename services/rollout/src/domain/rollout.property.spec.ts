import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide } from './decide.ts';
import type { RolloutInput } from './decide.ts';
import { evolve } from './evolve.ts';
import { abortRuleBroken, countWave } from './gates.ts';
import { PAUSE_DEADLINE_MS, START_DEADLINE_MS, isOpen } from './rollout.ts';
import type { Rollout, RolloutEvent } from './rollout.ts';
import { LIMITS, NEW, OLD, RUNS_OLD, START, candidates, orderedRollout, watch } from './rollout.fixture.ts';
import type { Shown } from './rollout.fixture.ts';

const BASELINE = { windows: 10, frames: 200, detections: 400 };
const SHOWN: Record<string, Shown> = {
  silent: {},
  serving: { seen: { windows: 5, frames: 60, detections: 90 } },
  blind: { seen: { windows: 5, frames: 60, detections: 0 } },
  old: { beat: RUNS_OLD },
  erring: { beat: { lastInferenceAgoMs: null } },
  probing: { beat: { phase: 'probing' } },
  home: { beat: { ...RUNS_OLD, desiredGeneration: 9 }, desired: { releaseId: OLD.releaseId, generation: 9 } },
};

type Action =
  | { kind: 'look'; afterMs: number; shown: string[] }
  | { kind: 'report'; node: number; outcome: 'failed' | 'rejected' | 'rolled-back' | 'committed'; rolloutId: string }
  | { kind: 'command'; command: 'pause' | 'resume' | 'abort' }
  | { kind: 'begin' }
  | { kind: 'again'; back: number }
  | { kind: 'restart' };

const NODES_MAX = 7;
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('look' as const),
      afterMs: fc.integer({ min: 0, max: 40_000 }),
      shown: fc.array(fc.constantFrom(...Object.keys(SHOWN), 'serving', 'serving', 'serving'), {
        minLength: NODES_MAX,
        maxLength: NODES_MAX,
      }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      node: fc.integer({ min: 1, max: NODES_MAX }),
      outcome: fc.constantFrom('failed' as const, 'rejected' as const, 'rolled-back' as const, 'committed' as const),
      rolloutId: fc.constantFrom('r1', 'r1', 'r0'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('command' as const),
      command: fc.constantFrom('pause' as const, 'resume' as const, 'abort' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('begin' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('again' as const), back: fc.integer({ min: 0, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

const order = fc.record({
  nodes: fc.integer({ min: 0, max: NODES_MAX }),
  waves: fc.array(
    fc.oneof(fc.record({ count: fc.integer({ min: 1, max: 3 }) }), fc.record({ percent: fc.integer({ min: 1, max: 100 }) })),
    { minLength: 1, maxLength: 4 },
  ),
  failedPercent: fc.constantFrom(0, 20, 50, 100),
  failedCountMin: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(1000),
});

interface Step {
  readonly before: Rollout;
  readonly event: RolloutEvent;
  readonly after: Rollout;
}

/** Plays a history: inputs old and new, repeated, out of order, with a loss of all memory (not of the document) at any point. */
class History {
  rollout: Rollout;
  now = START;
  readonly steps: Step[] = [];
  readonly inputs: RolloutInput[] = [];
  readonly begin: RolloutInput;

  constructor({
    nodes,
    seed,
    waves,
    ...abort
  }: {
    nodes: number;
    waves: ({ count: number } | { percent: number })[];
    failedPercent: number;
    failedCountMin: number;
    seed: number;
  }) {
    this.rollout = orderedRollout({ strategy: { waves, seed, abort } });
    this.begin = { type: 'begin', at: START, candidates: candidates(nodes, { baseline: BASELINE }), releases: { [OLD.releaseId]: OLD } };
    this.give(this.begin);
  }

  give(input: RolloutInput): readonly RolloutEvent[] {
    const events = decide(this.rollout, input);
    for (const event of events) {
      const before = this.rollout;
      this.rollout = evolve(before, event);
      this.steps.push({ before, event, after: this.rollout });
    }
    this.inputs.push(input);
    return events;
  }

  play(next: Action): void {
    switch (next.kind) {
      case 'look': {
        this.now += next.afterMs;
        const named = next.shown.flatMap((kind, index) => (kind === 'silent' ? [] : [[`n${index + 1}`, SHOWN[kind] ?? {}] as const]));
        this.give(watch(this.now, Object.fromEntries(named)));
        return;
      }
      case 'report':
        this.give({
          type: 'reported',
          at: this.now,
          nodeId: `n${next.node}`,
          rolloutId: next.rolloutId,
          releaseId: NEW.releaseId,
          outcome: next.outcome,
          reason: null,
        });
        return;
      case 'command':
        this.give({ type: next.command, by: 'ann', at: this.now });
        return;
      case 'begin':
        this.give(this.begin);
        return;
      case 'again': {
        const old = this.inputs.at(-1 - next.back);
        if (old !== undefined) this.give(old);
        return;
      }
      case 'restart':
        this.rollout = JSON.parse(JSON.stringify(this.rollout)) as Rollout;
        this.give({ type: 'watch', now: this.now, limits: LIMITS, observations: new Map() });
        return;
    }
  }
}

function played(setup: Parameters<typeof Object.keys>[0], actions: readonly Action[]): History {
  const history = new History(setup as ConstructorParameters<typeof History>[0]);
  for (const next of actions) history.play(next);
  return history;
}

const histories = fc.tuple(order, fc.array(action, { maxLength: 60 }));

describe('over random histories', () => {
  it('no wave is offered before the one before proved the release, nor after any wave crossed its gate', () => {
    fc.assert(
      fc.property(histories, ([setup, actions]) => {
        for (const { before, event } of played(setup, actions).steps) {
          if (event.type !== 'wave-offered' || event.wave === 0) continue;
          expect(before.status.kind).toBe('running');
          const last = countWave(before, event.wave - 1);
          expect(last.proved + last.failed).toBe(last.offered);
          expect(last.proved).toBeGreaterThan(0);
          for (let wave = 0; wave < event.wave; wave++) {
            const { failed, offered } = countWave(before, wave);
            expect(abortRuleBroken(before.strategy.abort, failed, offered)).toBe(false);
          }
        }
      }),
      { numRuns: 600 },
    );
  });

  it('each wave is offered at most once, in order', () => {
    fc.assert(
      fc.property(histories, ([setup, actions]) => {
        const offered = played(setup, actions).steps.flatMap(({ event }) => (event.type === 'wave-offered' ? [event.wave] : []));
        expect(offered).toEqual(offered.map((_, index) => index));
      }),
    );
  });

  it('nobody is left behind: a halt brings back every node that was treated', () => {
    fc.assert(
      fc.property(histories, ([setup, actions]) => {
        for (const { before, event } of played(setup, actions).steps) {
          if (event.type !== 'halted') continue;
          const offered = before.waves.slice(0, before.wave + 1).flat();
          expect([...event.bringBack].sort()).toEqual([...offered].sort());
        }
      }),
    );
  });

  it('nothing happens after the end, and an end is final', () => {
    fc.assert(
      fc.property(histories, ([setup, actions]) => {
        const ends = played(setup, actions).steps.map(({ event }) => event.type === 'ended');
        expect(ends.indexOf(true)).toBe(ends.includes(true) ? ends.length - 1 : -1);
      }),
    );
  });

  it('each rollout ends by the clock alone', () => {
    fc.assert(
      fc.property(histories, ([setup, actions]) => {
        const history = played(setup, actions);
        for (let turn = 0; turn < 12 && isOpen(history.rollout); turn++) {
          history.give({
            type: 'watch',
            now: history.now + START_DEADLINE_MS + PAUSE_DEADLINE_MS * (turn + 1),
            limits: LIMITS,
            observations: new Map(),
          });
        }
        expect(history.rollout.status.kind).toBe('ended');
      }),
    );
  });

  it('a repeated report or command changes nothing, and a repeated look soon has nothing more to say', () => {
    fc.assert(
      fc.property(histories, ([setup, actions]) => {
        const history = played(setup, actions);
        const last = history.inputs.at(-1) as RolloutInput;
        if (last.type === 'watch') for (let turn = 0; turn < 5; turn++) history.give(last);
        expect(history.give(last)).toEqual([]);
      }),
    );
  });
});

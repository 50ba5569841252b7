import type { NodeDrifted, PayloadOf, TelemetryWindow } from '@edgeloop/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DAY, NIGHT, windowOf, windowsOf } from '../testing/windows.ts';
import { type FieldOutput, outputsOf } from './field-output.ts';
import { type DriftLimits, type NodeField, observe, unknownNode } from './node-field.ts';

const LIMITS: DriftLimits = { baselineWindows: 5, recentWindows: 2, consecutive: 3, leaveSpreads: 4, returnSpreads: 2 };

interface Told {
  readonly field: NodeField;
  readonly outputs: readonly FieldOutput[];
}

function see(windows: readonly TelemetryWindow[], from: NodeField = unknownNode('n1')): Told {
  const { field, events } = observe(from, windows, LIMITS);
  return { field, outputs: outputsOf(from, events) };
}

/** given what was seen, when more is seen, then this is said. */
function given(...before: TelemetryWindow[][]): {
  when(...windows: TelemetryWindow[][]): { says(...expected: FieldOutput['says'][]): FieldOutput[] };
} {
  const { field } = see(before.flat());
  return {
    when: (...windows) => ({
      says: (...expected) => {
        const { outputs } = see(windows.flat(), field);
        expect(outputs.map((output) => output.says)).toEqual(expected);
        return [...outputs];
      },
    }),
  };
}

function measuresOf(output: FieldOutput | undefined): PayloadOf<typeof NodeDrifted>['measures'] {
  return output?.says === 'drifted' ? output.payload.measures : [];
}

const learned = windowsOf(0, 5);
const drifted = windowsOf(5, 4, NIGHT);

describe('a baseline', () => {
  it('is learned from the first windows of a release; nothing is said meanwhile, however they look', () => {
    given()
      .when(windowsOf(0, 2), windowsOf(2, 3, NIGHT))
      .says();
  });

  it('does not count windows without frames, nor without a model', () => {
    const { field } = see([...windowsOf(0, 3, { ...DAY, frames: 0 }), ...windowsOf(3, 3, { ...DAY, releaseId: null }), ...windowsOf(6, 2)]);
    expect(field.baselines.map((baseline) => baseline.windows)).toEqual([2]);
    expect(field.totals).toEqual({ windows: 8, frames: 50 });
  });

  it('lets the usual noise pass', () => {
    const noisy = (sequence: number): TelemetryWindow =>
      windowOf(sequence, { ...DAY, brightness: 0.5 + 0.03 * Math.sin(sequence), perFrame: 3 + Math.cos(sequence) });
    given(Array.from({ length: 5 }, (_, sequence) => noisy(sequence)))
      .when(Array.from({ length: 200 }, (_, index) => noisy(5 + index)))
      .says();
  });
});

describe('a node drifts', () => {
  it('when the mean of its recent windows stays outside for enough comparisons, not one fewer', () => {
    given(learned)
      .when(windowsOf(5, 3, NIGHT))
      .says();
    given(learned)
      .when(windowsOf(5, 4, NIGHT))
      .says('drifted');
  });

  it('with the numbers of each measure that left, and of no other', () => {
    const [output] = given(learned)
      .when(windowsOf(5, 4, { ...DAY, brightness: 0.15 }))
      .says('drifted');
    expect(output?.payload).toMatchObject({
      nodeId: 'n1',
      releaseId: 'm-v1',
      at: '2026-01-01T00:00:18.000Z',
      windows: { baseline: 5, recent: 2 },
    });
    expect(measuresOf(output)).toEqual([
      { measure: 'brightness', baseline: expect.closeTo(0.52), spread: 0.04, now: expect.closeTo(0.15), distance: expect.closeTo(9.25) },
    ]);
  });

  it('beyond the threshold, not at it', () => {
    const baseline = windowsOf(0, 5, { ...DAY, brightness: 0.25 });
    expect(see([...baseline, ...windowsOf(5, 20, { ...DAY, brightness: 0.25 + 4 * 0.04 - 1e-9 })]).outputs).toEqual([]);
    expect(
      see([...baseline, ...windowsOf(5, 20, { ...DAY, brightness: 0.25 + 4 * 0.04 + 1e-9 })]).outputs.map((output) => output.says),
    ).toEqual(['drifted']);
  });

  it('once an episode, and not for an interruption', () => {
    given(learned, drifted)
      .when(windowsOf(9, 50, NIGHT))
      .says();
    given(learned)
      .when(windowsOf(5, 2, NIGHT), windowsOf(7, 3), windowsOf(10, 1, NIGHT), windowsOf(11, 3))
      .says();
  });

  it('when everything is empty, though no score is left to compare', () => {
    const [output] = given(learned)
      .when(windowsOf(5, 4, { ...DAY, perFrame: 0, empty: 10 }))
      .says('drifted');
    expect(measuresOf(output).map((one) => one.measure)).toEqual(['detections-per-frame', 'empty-share']);
  });
});

describe('a drifted node settles', () => {
  it('when every measure is back for enough comparisons', () => {
    given(learned, drifted).when(windowsOf(9, 3)).says();
    given(learned, drifted).when(windowsOf(9, 4)).says('settled');
  });

  it('not while a measure is between the two thresholds', () => {
    given(learned, drifted)
      .when(windowsOf(9, 30, { ...DAY, brightness: 0.52 - 3 * 0.04 }))
      .says();
  });

  it('and drifts again in a new episode under another id', () => {
    const first = given(learned).when(drifted).says('drifted');
    const second = given(learned, drifted, windowsOf(9, 4))
      .when(windowsOf(13, 4, NIGHT))
      .says('drifted');
    expect(second[0]?.id).not.toBe(first[0]?.id);
  });

  it('when a new release runs, which is measured by a baseline of its own, learned at night', () => {
    const [settled] = given(learned, drifted)
      .when(windowsOf(9, 40, { ...NIGHT, releaseId: 'm-v2' }))
      .says('settled');
    expect(settled?.payload).toMatchObject({ nodeId: 'n1', releaseId: 'm-v2', reason: expect.stringContaining('m-v2') });
  });
});

describe('a release that comes back', () => {
  it('meets the baseline it had: a rollback at night does not make the night normal', () => {
    given(learned, drifted, windowsOf(9, 3, { ...NIGHT, releaseId: 'm-v2' }))
      .when(windowsOf(12, 4, NIGHT))
      .says('drifted');
  });
});

describe('windows that were seen, or come late', () => {
  it('change nothing', () => {
    const { field } = see([...learned, ...drifted]);
    expect(see([...learned, ...drifted], field)).toEqual({ field, outputs: [] });
  });

  it('of a life that ended change nothing', () => {
    const { field } = see([...learned, ...windowsOf(0, 2, { ...DAY, epoch: 'epoch-0002' })]);
    expect(field).toMatchObject({ epoch: 'epoch-0002', sequence: 1, totals: { windows: 7 } });
    expect(see(windowsOf(5, 9, NIGHT), field).field).toEqual(field);
  });

  it('of a new life go on with the baseline of the release', () => {
    given(learned)
      .when(windowsOf(0, 4, { ...NIGHT, epoch: 'epoch-0002' }))
      .says('drifted');
  });

  const story = fc.array(
    fc.record({ night: fc.boolean(), release: fc.constantFrom('m-v1', 'm-v2'), frames: fc.integer({ min: 0, max: 3 }) }),
    { maxLength: 60 },
  );
  const windowsOfStory = (told: readonly { night: boolean; release: string; frames: number }[]): TelemetryWindow[] =>
    told.map((one, sequence) => windowOf(sequence, { ...(one.night ? NIGHT : DAY), releaseId: one.release, frames: one.frames }));

  it('repeated in any number and at any later place, say and change nothing', () => {
    fc.assert(
      fc.property(story, fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 40 }), (told, repeats) => {
        const windows = windowsOfStory(told);
        const inOrder = see(windows);
        let field = unknownNode('n1');
        const outputs: FieldOutput[] = [];
        windows.forEach((window, index) => {
          const again = repeats
            .filter(([at]) => at % windows.length === index)
            .map(([, which]) => windows[which % (index + 1)] as TelemetryWindow);
          for (const one of [window, ...again]) {
            const step = see([one], field);
            field = step.field;
            outputs.push(...step.outputs);
          }
        });
        expect({ field, outputs }).toEqual(inOrder);
      }),
    );
  });

  it('cut into any batches, each shuffled, say and change the same', () => {
    fc.assert(
      fc.property(
        story,
        fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 60 }),
        fc.infiniteStream(fc.nat()),
        (told, sizes, chance) => {
          const windows = windowsOfStory(told);
          const inOrder = see(windows);
          let field = unknownNode('n1');
          const outputs: FieldOutput[] = [];
          for (let at = 0, batch = 0; at < windows.length; at += sizes[batch % sizes.length] as number, batch++) {
            const part = windows.slice(at, at + (sizes[batch % sizes.length] as number));
            const shuffled = part
              .map((window) => ({ window, place: chance.next().value as number }))
              .toSorted((one, other) => one.place - other.place);
            const step = see(
              shuffled.map(({ window }) => window),
              field,
            );
            field = step.field;
            outputs.push(...step.outputs);
          }
          expect({ field, outputs }).toEqual(inOrder);
        },
      ),
    );
  });

  it('whatever happens: drifted and settled alternate, and no id is used twice', () => {
    fc.assert(
      fc.property(story, (told) => {
        const { outputs, field } = see(windowsOfStory(told));
        outputs.forEach((output, index) => expect(output.says).toBe(index % 2 === 0 ? 'drifted' : 'settled'));
        expect(new Set(outputs.map((output) => output.id)).size).toBe(outputs.length);
        expect(field.drifted).toBe(outputs.length % 2 === 1);
      }),
    );
  });
});

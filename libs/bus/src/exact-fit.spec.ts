import { ALL_CONTRACTS, NodeGrant, NodeHeartbeat, NodeReceipts, NodeTelemetry } from '@edgeloop/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { exactFit } from './exact-fit.ts';

const AT = '2026-01-01T00:00:00.000Z';
const HEARTBEAT = {
  nodeId: 'n1',
  epoch: 'epoch-0001',
  sequence: 1,
  at: AT,
  running: { releaseId: 'm-v1', modelDigest: `sha256:${'a'.repeat(64)}`, generation: 1 },
  phase: 'idle',
  desiredGeneration: 1,
  policyVersion: 1,
  framesTotal: 10,
  framesPerSecond: 4.5,
  inferenceErrors: 0,
  lastInferenceAgoMs: null,
  spool: { items: 0, bytes: 0, shed: 0 },
  metadataStaleSince: null,
};

const Everything = z.object({
  text: z.string().min(2).max(4),
  token: z.string().regex(/^[a-z]+$/),
  whole: z.int().positive().max(9),
  share: z.number().gte(0).lt(1),
  flag: z.boolean(),
  kind: z.enum(['a', 'b', '"quoted"']),
  maybe: z.string().optional(),
  none: z.number().nullable(),
  list: z
    .array(z.object({ x: z.int() }))
    .min(1)
    .max(3),
  pair: z.array(z.int()).length(2),
  map: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
  tagged: z.discriminatedUnion('is', [z.object({ is: z.literal('one'), a: z.int() }), z.object({ is: z.literal(2), b: z.string() })]),
  at: z.iso.datetime(),
  filled: z.int().default(7),
});
const FITS = {
  text: 'abc',
  token: 'abc',
  whole: 3,
  share: 0.5,
  flag: true,
  kind: '"quoted"',
  none: null,
  list: [{ x: 1 }],
  pair: [1, 2],
  map: { a: 1, b: 'x', c: null },
  tagged: { is: 'one', a: 1 },
  at: AT,
  filled: 1,
};

/** Anything that may stand in a message, near to what the schema wants and far from it. */
const scrap = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    'ab',
    'abc',
    'abcde',
    'a',
    'b',
    'one',
    2,
    0,
    1,
    -1,
    9,
    10,
    0.5,
    1.5,
    2 ** 53,
    true,
    [],
    {},
    [1],
    [1, 2],
    [1, 2, 3],
    { x: 1 },
    AT,
  ),
  fc.constantFrom<unknown>(
    { is: 'one', a: 1 },
    { is: 2, b: 'x' },
    { is: 2, b: 'x', a: 1 },
    { is: 'one', b: 'x' },
    { x: 1, y: 1 },
    { a: [] },
    '2026-13-01T00:00:00Z',
  ),
  fc.jsonValue(),
);

function agrees(schema: z.ZodType, value: unknown): void {
  if (!exactFit(schema)(value)) return;
  const parsed = schema.safeParse(value);
  expect(parsed.success).toBe(true);
  expect(parsed.data).toEqual(value);
}

describe('what fits exactly', () => {
  it('fits, also without what is optional', () => {
    expect(exactFit(Everything)(FITS)).toBe(true);
    expect(exactFit(Everything)({ ...FITS, maybe: 'x' })).toBe(true);
    expect(exactFit(NodeHeartbeat.payload)(HEARTBEAT)).toBe(true);
  });

  it.each([
    ['an unknown field', { ...FITS, more: 1 }],
    ['a field to fill in', { ...FITS, filled: undefined }],
    ['a nested unknown field', { ...FITS, list: [{ x: 1, y: 2 }] }],
    ['a field that is missing', { ...FITS, text: undefined }],
    ['no object', [FITS]],
    ['nothing', null],
  ])('is not %s', (_what, value) => {
    expect(exactFit(Everything)(value)).toBe(false);
  });

  it('is never more than the schema accepts, and never other than it gives back', () => {
    const keys = fc.constantFrom(...Object.keys(FITS), 'maybe', 'more', '__proto__');
    fc.assert(
      fc.property(fc.array(fc.tuple(keys, scrap), { maxLength: 3 }), (changes) => {
        const value = JSON.parse(JSON.stringify({ ...FITS, ...Object.fromEntries(changes) })) as unknown;
        agrees(Everything, value);
        if (exactFit(Everything)(FITS)) agrees(Everything, FITS);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is never more than the schema accepts, of any contract and any scrap', () => {
    for (const { payload } of ALL_CONTRACTS)
      fc.assert(
        fc.property(scrap, (value) => agrees(payload, value)),
        { numRuns: 50 },
      );
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(HEARTBEAT)), scrap, (key, value) =>
        agrees(NodeHeartbeat.payload, { ...HEARTBEAT, [key]: value }),
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('what is not understood', () => {
  it.each([
    ['a refinement', z.string().refine((text) => text !== 'x'), 'x'],
    ['a transformation', z.string().trim(), ' x '],
    ['a format that is more than a pattern', z.url(), 'nonsense'],
    ['objects that could both accept', z.union([z.object({ a: z.int() }), z.object({ a: z.int(), b: z.int() })]), { a: 1, b: 1 }],
    ['a strict object', z.strictObject({}), {}],
    ['a loose object', z.looseObject({}), {}],
    ['a record that must be complete', z.record(z.enum(['a', 'b']), z.int()), { a: 1 }],
    ['a multiple', z.number().multipleOf(2), 2],
    ['a date', z.date(), new Date()],
  ])('never fits: %s', (_what, schema, value) => {
    expect(exactFit(schema)(value)).toBe(false);
    expect(exactFit(z.object({ inner: schema }))({ inner: value })).toBe(false);
  });
});

it('understands the messages that come in streams', () => {
  const telemetry = { nodeId: 'n1', windows: [] };
  expect(exactFit(NodeTelemetry.payload)(telemetry)).toBe(false);
  expect(exactFit(NodeReceipts.payload)({ nodeId: 'n1', sampleIds: ['a'.repeat(64)] })).toBe(true);
  expect(exactFit(NodeReceipts.reply)({ accepted: [], quarantined: [{ sampleId: 'a'.repeat(64), reason: 'x' }], unknown: [] })).toBe(true);
  expect(exactFit(NodeGrant.reply)({ granted: false, reason: 'not-ready', retryAfterMs: 1 })).toBe(true);
});

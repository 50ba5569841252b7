import {
  type Bus,
  type Document,
  type Documents,
  InvalidKeyError,
  InvalidMessageError,
  type Output,
  UnreadableDocumentError,
} from '@edgeloop/bus';
import { RunStepStarted, type PayloadOf } from '@edgeloop/contracts';
import { eventually } from '@edgeloop/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { busFixture, type BusFixture, fresh, stepStarted } from './bus-fixture.ts';

const Counter = z.object({ count: z.int().nonnegative(), note: z.string().optional() });
type Counter = z.output<typeof Counter>;

let fixture: BusFixture;
let bus: Bus;
let counters: Documents<Counter>;
beforeAll(async () => {
  fixture = await busFixture();
  bus = await fixture.connect('keeper');
  counters = await bus.documents('runs', Counter);
});
afterAll(() => fixture.stop());

function output(runId: string, attempt: number): Output {
  const { id, payload } = stepStarted(runId, attempt);
  return { contract: RunStepStarted, payload, id };
}

async function publishedAttempts(runId: string): Promise<number[]> {
  const attempts: number[] = [];
  for await (const { payload } of bus.history('LOOP', { subject: `run.v1.${runId}.*` }))
    attempts.push((payload as PayloadOf<typeof RunStepStarted>).attempt);
  return attempts;
}

/** A program that dies after the state is saved and before its outputs are published. */
async function crashingCounters(): Promise<Documents<Counter>> {
  const doomed = await fixture.connect('keeper');
  Object.assign(doomed, { publish: () => Promise.reject(new Error('killed')) });
  return doomed.documents('runs', Counter);
}

describe('load and save', () => {
  it('gives back what was saved, at the revision that the next save needs', async () => {
    const key = fresh('doc');
    expect(await counters.load(key)).toBeUndefined();
    const first = await counters.save(key, { count: 1 }, {});
    expect(await counters.load(key)).toEqual({ state: { count: 1 }, revision: first.revision });
    const second = await counters.save(key, { count: 2 }, { revision: first.revision });
    expect(await counters.load(key)).toEqual({ state: { count: 2 }, revision: second.revision });
  });

  it('refuses to create what is there, and to write at an old revision', async () => {
    const key = fresh('doc');
    const { revision } = await counters.save(key, { count: 1 }, {});
    await expect(counters.save(key, { count: 9 }, {})).rejects.toMatchObject({ name: 'RevisionConflictError', retryable: true });
    await counters.save(key, { count: 2 }, { revision });
    await expect(counters.save(key, { count: 9 }, { revision })).rejects.toMatchObject({
      name: 'RevisionConflictError',
      expected: revision,
    });
  });

  it('lets one of two win who save at once', async () => {
    const key = fresh('doc');
    const { revision } = await counters.save(key, { count: 0 }, {});
    const other = await (await fixture.connect('keeper')).documents('runs', Counter);
    const results = await Promise.allSettled([counters.save(key, { count: 1 }, { revision }), other.save(key, { count: 1 }, { revision })]);
    expect(results.map((result) => result.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('loses no update of replicas that race', async () => {
    const key = fresh('doc');
    const replicas = await Promise.all([1, 2, 3].map(async () => (await fixture.connect('keeper')).documents('runs', Counter)));
    const increment = (current: Counter | undefined): { state: Counter } => ({ state: { count: (current?.count ?? 0) + 1 } });
    await Promise.all(replicas.flatMap((replica) => [1, 2, 3].map(() => replica.update(key, increment))));
    expect((await counters.load(key))?.state).toEqual({ count: 9 });
  });

  it('changes nothing when the decision is to do nothing', async () => {
    const key = fresh('doc');
    const { revision } = await counters.save(key, { count: 5 }, {});
    expect(await counters.update(key, () => undefined)).toEqual({ count: 5 });
    expect((await counters.load(key))?.revision).toBe(revision);
  });

  it('saves nothing that breaks its schema, and refuses keys that are none', async () => {
    await expect(counters.save(fresh('doc'), { count: -1 }, {})).rejects.toThrow(UnreadableDocumentError);
    await expect(counters.save('a..b', { count: 1 }, {})).rejects.toThrow(InvalidKeyError);
    await expect(counters.load('a b')).rejects.toThrow(InvalidKeyError);
  });

  it('says which document does not fit its schema any more', async () => {
    const key = fresh('doc');
    const looser = await bus.documents('runs', z.object({ count: z.string() }));
    await looser.save(key, { count: 'many' }, {});
    await expect(counters.load(key)).rejects.toThrow(new RegExp(`runs/${key} cannot be read: count`));
    await looser.update(key, () => ({ state: { count: 'x' } }));
    await (await bus.documents('runs', Counter)).save(key, { count: 0 }, { revision: (await looser.load(key))?.revision });
  });
});

describe('the outbox', () => {
  it('publishes outputs after the state is saved, with the cause of the change', async () => {
    const runId = fresh('run');
    const cause = { id: 'cause-1', correlationId: 'turn-1', traceparent: undefined };
    await counters.save(runId, { count: 1 }, { outputs: [output(runId, 1), output(runId, 2)], cause });
    expect(await publishedAttempts(runId)).toEqual([1, 2]);
    expect((await bus.lastOf(RunStepStarted, { runId }))?.context).toMatchObject({
      id: `${runId}.2`,
      causationId: 'cause-1',
      correlationId: 'turn-1',
    });
  });

  it('saves nothing when an output breaks its contract: it would block its document for ever', async () => {
    const key = fresh('doc');
    const broken = { contract: RunStepStarted, payload: { runId: 'r', step: 's', attempt: -1 }, id: 'x' };
    await expect(counters.save(key, { count: 1 }, { outputs: [broken] })).rejects.toThrow(InvalidMessageError);
    expect(await counters.load(key)).toBeUndefined();
  });

  it('is published at the next start when the program died in between', async () => {
    const runId = fresh('run');
    await expect((await crashingCounters()).save(runId, { count: 1 }, { outputs: [output(runId, 1)] })).rejects.toThrow('killed');
    expect(await publishedAttempts(runId)).toEqual([]);
    expect(await counters.resume()).toBe(1);
    expect(await publishedAttempts(runId)).toEqual([1]);
    expect(await counters.resume()).toBe(0);
  });

  it('is published by whoever loads the document next, once', async () => {
    const runId = fresh('run');
    await expect((await crashingCounters()).save(runId, { count: 1 }, { outputs: [output(runId, 1)] })).rejects.toThrow('killed');
    const loaded = await Promise.all([1, 2, 3].map(() => counters.load(runId)));
    expect(loaded.map((document) => document?.state)).toEqual([{ count: 1 }, { count: 1 }, { count: 1 }]);
    expect(await publishedAttempts(runId)).toEqual([1]);
    const revision = (await counters.load(runId))?.revision;
    expect((await counters.save(runId, { count: 2 }, { revision })).state).toEqual({ count: 2 });
  });
});

describe('reading all', () => {
  it('lists keys and documents, and watches: what is there first, then every change', async () => {
    const tasks = await bus.documents('tasks', Counter);
    expect(await tasks.keys()).toEqual([]);
    await tasks.save('a', { count: 1 }, {});
    const b = await tasks.save('b', { count: 1 }, {});
    const seen: [string, Document<Counter> | undefined][] = [];
    const watch = await tasks.watch((key, document) => seen.push([key, document]));
    expect(seen.map(([key]) => key)).toEqual(['a', 'b']);
    await tasks.save('b', { count: 2 }, { revision: b.revision });
    await eventually(() =>
      expect(seen.map(([key, document]) => [key, document?.state.count])).toEqual([
        ['a', 1],
        ['b', 1],
        ['b', 2],
      ]),
    );
    expect(await tasks.keys()).toEqual(['a', 'b']);
    const entries: Record<string, number> = {};
    for await (const { key, document } of tasks.entries()) entries[key] = document.state.count;
    expect(entries).toEqual({ a: 1, b: 2 });
    await watch.drain();
  });
});

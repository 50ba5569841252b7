import type { Bus } from '@edgeloop/bus';
import { NodeReport, RunStarted, RunStepStarted, type PayloadOf } from '@edgeloop/contracts';
import { eventually } from '@edgeloop/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { busFixture, type BusFixture, consumeSteps, fresh, handled, lettersOf, pendingOf, publishSteps } from './bus-fixture.ts';

let fixture: BusFixture;
let bus: Bus;
beforeAll(async () => {
  fixture = await busFixture();
  bus = await fixture.connect('consumer');
});
afterAll(() => fixture.stop());

describe('drain', () => {
  it('lets running handlers finish, hands the rest back at once, and is idempotent', async () => {
    const runId = fresh('run');
    const durable = fresh('steps');
    const handledBy: string[] = [];
    let finish = (): void => undefined;
    const work = new Promise<void>((resolve) => (finish = resolve));
    const first = await consumeSteps(
      bus,
      async (payload) => {
        if (payload.runId !== runId) return;
        handledBy.push(`first:${payload.attempt}`);
        await work;
      },
      { durable },
    );
    await publishSteps(bus, runId, 3);
    await eventually(() => expect(handledBy).toEqual(['first:1']));
    const draining = Promise.all([first.drain(), first.drain()]);
    const second = await consumeSteps(
      await fixture.connect('consumer'),
      (payload) => void (payload.runId === runId && handledBy.push(`second:${payload.attempt}`)),
      { durable },
    );
    await eventually(() => expect(handledBy.toSorted()).toEqual(['first:1', 'second:2', 'second:3']));
    finish();
    await draining;
    await eventually(async () => expect(await pendingOf(bus, 'LOOP', durable)).toBe(0));
    await second.drain();
  });

  it('aborts what does not finish within its budget and hands it back', async () => {
    const runId = fresh('run');
    const durable = fresh('steps');
    let aborted = false;
    const first = await consumeSteps(
      bus,
      (payload, context) => {
        if (payload.runId !== runId) return undefined;
        return new Promise((_resolve, reject) =>
          context.signal.addEventListener('abort', () => {
            aborted = true;
            reject(new Error('stopped'));
          }),
        );
      },
      { durable, drainBudgetMs: 100, deliveriesMax: 1 },
    );
    await publishSteps(bus, runId, 1);
    await eventually(async () => expect(await pendingOf(bus, 'LOOP', durable)).toBe(1));
    await first.drain();
    expect(aborted).toBe(true);
    const again: number[] = [];
    const second = await consumeSteps(bus, (payload, context) => void (payload.runId === runId && again.push(context.deliveries)), {
      durable,
    });
    await eventually(() => expect(again).toEqual([2]));
    expect(await lettersOf(bus, durable)).toEqual([]);
    await second.drain();
  });
});

describe('the durable consumer', () => {
  it('takes up new contracts under the same name', async () => {
    const durable = fresh('growing');
    const runId = fresh('run');
    const seen: string[] = [];
    const steps = handled(RunStepStarted, () => void seen.push('step'));
    await (await bus.consume({ durable, stream: 'LOOP', handlers: [steps], startFrom: 'new' })).drain();
    const ends = handled(RunStarted, () => void seen.push('start'));
    const second = await bus.consume({ durable, stream: 'LOOP', handlers: [steps, ends], startFrom: 'new' });
    const trigger = { kind: 'manual' as const, reason: 'test' };
    await bus.publish(
      RunStarted,
      { runId, pipeline: 'p', trigger, datasetId: null, newLabels: 0, incumbent: null, model: { name: 'm', version: 'v1' } },
      { id: fresh('started') },
    );
    await publishSteps(bus, runId, 1);
    await eventually(() => expect(seen).toEqual(['start', 'step']));
    await second.drain();
  });

  it('is made anew from the start when its stream has lost its end', async () => {
    // Incident: after a torn tail the stream restarts behind the consumer's position, and the consumer is never given a message again.
    const durable = fresh('deaf');
    const manager = await jetstreamManager(bus.connection);
    const first = await bus.consume({ durable, stream: 'NODES', handlers: [handledReport(() => undefined)] });
    const report = (sequence: number): Promise<unknown> =>
      bus.connection.request('node.v1.n1.report', JSON.stringify(nodeReport(sequence)));
    for (let sequence = 1; sequence <= 5; sequence++) await report(sequence);
    await eventually(async () => expect((await manager.consumers.info('NODES', durable)).ack_floor.stream_seq).toBe(5));
    await first.drain();
    const { config } = await manager.streams.info('NODES');
    const floor = await manager.consumers.info('NODES', durable);
    await manager.streams.delete('NODES');
    await manager.streams.add(config);
    await manager.consumers.add('NODES', { ...floor.config, deliver_policy: 'by_start_sequence', opt_start_seq: 500 } as never);
    await report(6);
    const seen: number[] = [];
    const second = await bus.consume({ durable, stream: 'NODES', handlers: [handledReport((sequence) => seen.push(sequence))] });
    await eventually(() => expect(seen).toEqual([6]));
    await second.drain();
  });

  it('comes back when somebody deletes it', async () => {
    const durable = fresh('deleted');
    const runId = fresh('run');
    const seen: number[] = [];
    const subscription = await consumeSteps(bus, (payload) => void (payload.runId === runId && seen.push(payload.attempt)), {
      durable,
      startFrom: 'all',
    });
    await (await jetstreamManager(bus.connection)).consumers.delete('LOOP', durable);
    await publishSteps(bus, runId, 1);
    await eventually(() => expect(seen).toEqual([1]), { deadlineMs: 30_000 });
    await subscription.drain();
  });
});

function nodeReport(sequence: number): PayloadOf<typeof NodeReport> {
  const nothing = { rolloutId: null, outcome: null, reason: null, detail: null, running: null };
  return {
    nodeId: 'n1',
    epoch: 'epoch-0001',
    sequence,
    at: '2026-01-01T00:00:00.000Z',
    generation: 1,
    releaseId: 'm-v1',
    phase: 'idle',
    ...nothing,
  };
}

function handledReport(take: (sequence: number) => unknown): ReturnType<typeof handled> {
  return handled(NodeReport, (payload) => void take(payload.sequence));
}

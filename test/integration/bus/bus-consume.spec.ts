import { redrive, type Bus } from '@edgeloop/bus';
import { type DeadLetter, NodeReport, RunStarted, RunStepStarted, TaskAnswered, type PayloadOf } from '@edgeloop/contracts';
import { eventually } from '@edgeloop/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { busFixture, type BusFixture, consumeSteps, fresh, handled, publishSteps } from './bus-fixture.ts';

let fixture: BusFixture;
let bus: Bus;
beforeAll(async () => {
  fixture = await busFixture();
  bus = await fixture.connect('consumer');
});
afterAll(() => fixture.stop());

class PermanentError extends Error {
  readonly retryable = false;
}

async function lettersOf(durable: string): Promise<PayloadOf<typeof DeadLetter>[]> {
  const letters: PayloadOf<typeof DeadLetter>[] = [];
  for await (const { payload } of bus.history('DEAD', { subject: 'dead.v1.*.*' })) letters.push(payload as PayloadOf<typeof DeadLetter>);
  return letters.filter((letter) => letter.consumer === durable);
}

async function pendingOf(stream: string, durable: string): Promise<number> {
  const { num_pending, num_ack_pending } = await (await jetstreamManager(bus.connection)).consumers.info(stream, durable);
  return num_pending + num_ack_pending;
}

describe('order and concurrency', () => {
  it('runs keys side by side, and each key one at a time in the order of the stream', async () => {
    const keys = Array.from({ length: 6 }, () => fresh('run'));
    const seen = new Map<string, number[]>(keys.map((key) => [key, []]));
    const running = new Set<string>();
    let together = 0;
    const subscription = await consumeSteps(bus, async ({ runId, attempt }) => {
      if (!seen.has(runId)) return;
      expect(running.has(runId)).toBe(false);
      running.add(runId);
      together = Math.max(together, running.size);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
      running.delete(runId);
      seen.get(runId)?.push(attempt);
    });
    await Promise.all(keys.map((key) => publishSteps(bus, key, 20)));
    await eventually(() => expect([...seen.values()].map((attempts) => attempts.length)).toEqual(keys.map(() => 20)));
    for (const attempts of seen.values()) expect(attempts).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(together).toBeGreaterThan(1);
    await subscription.drain();
  });

  it('never runs more handlers than allowed', async () => {
    let running = 0;
    let most = 0;
    let done = 0;
    const subscription = await consumeSteps(
      bus,
      async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 2));
        running--;
        done++;
      },
      { concurrency: 3 },
    );
    await Promise.all(Array.from({ length: 12 }, () => publishSteps(bus, fresh('run'), 3)));
    await eventually(() => expect(done).toBeGreaterThanOrEqual(36));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
    await subscription.drain();
  });

  it('does not let later messages of a key overtake one that failed', async () => {
    const runId = fresh('run');
    const seen: number[] = [];
    let failures = 2;
    const subscription = await consumeSteps(bus, (payload) => {
      if (payload.runId !== runId) return;
      if (payload.attempt === 2 && failures-- > 0) throw new Error('not now');
      seen.push(payload.attempt);
    });
    await publishSteps(bus, runId, 4);
    await eventually(() => expect(seen).toEqual([1, 2, 3, 4]));
    await subscription.drain();
  });
});

describe('settlement', () => {
  it('delivers again what failed, and counts', async () => {
    const runId = fresh('run');
    const deliveries: number[] = [];
    const durable = fresh('steps');
    const subscription = await consumeSteps(
      bus,
      (payload, context) => {
        if (payload.runId !== runId) return;
        deliveries.push(context.deliveries);
        if (context.deliveries < 3) throw new Error('not now');
      },
      { durable },
    );
    await publishSteps(bus, runId, 1);
    await eventually(() => expect(deliveries).toEqual([1, 2, 3]));
    await eventually(async () => expect(await pendingOf('LOOP', durable)).toBe(0));
    await subscription.drain();
  });

  it('buries what fails for ever after its last delivery, with origin, reason, count and bytes', async () => {
    const runId = fresh('run');
    const durable = fresh('steps');
    const subscription = await consumeSteps(
      bus,
      (payload) => {
        if (payload.runId === runId) throw new Error('the disk is on fire');
      },
      { durable, deliveriesMax: 2 },
    );
    await publishSteps(bus, runId, 1);
    const [letter] = await eventually(async () => {
      const letters = await lettersOf(durable);
      expect(letters).toHaveLength(1);
      return letters;
    });
    expect(letter).toMatchObject({
      service: 'consumer',
      stream: 'LOOP',
      consumer: durable,
      subject: `run.v1.${runId}.step-started`,
      deliveries: 2,
    });
    expect(letter?.reason).toBe('failed 2 times, at last: the disk is on fire');
    expect(JSON.parse(Buffer.from(letter?.data ?? '', 'base64').toString())).toEqual({ runId, step: 'train', attempt: 1 });
    expect(letter?.headers['Nats-Msg-Id']).toBe(`${runId}.1`);
    await eventually(async () => expect(await pendingOf('LOOP', durable)).toBe(0));
    await subscription.drain();
  });

  it('buries at once what another try cannot mend', async () => {
    const runId = fresh('run');
    const durable = fresh('steps');
    let calls = 0;
    const subscription = await consumeSteps(
      bus,
      (payload) => {
        if (payload.runId !== runId) return;
        calls++;
        throw new PermanentError('no such thing');
      },
      { durable },
    );
    await publishSteps(bus, runId, 1);
    await eventually(async () => expect((await lettersOf(durable)).map((letter) => letter.reason)).toEqual(['no such thing']));
    expect(calls).toBe(1);
    await subscription.drain();
  });

  it.each([
    ['no JSON', 'run', 'not json', /no JSON/],
    ['a broken contract', 'run', '{"runId":"$ID","step":"train","attempt":-1}', /attempt/],
    ['a body that names somebody else', 'run', '{"runId":"another","step":"train","attempt":1}', /the subject says/],
  ])('buries a message with %s and goes on', async (_what, name, text, reason) => {
    const runId = fresh(name);
    const durable = fresh('steps');
    const seen: string[] = [];
    const subscription = await consumeSteps(bus, (payload) => void seen.push(payload.runId), { durable });
    await bus.connection.request(`run.v1.${runId}.step-started`, text.replace('$ID', runId));
    await publishSteps(bus, `${runId}-good`, 1);
    await eventually(async () =>
      expect((await lettersOf(durable)).map((letter) => letter.reason)).toEqual([expect.stringMatching(reason)]),
    );
    await eventually(() => expect(seen).toEqual([`${runId}-good`]));
    await subscription.drain();
  });

  it('ignores fields that a newer sender added', async () => {
    const runId = fresh('run');
    const seen: unknown[] = [];
    const subscription = await consumeSteps(bus, (payload) => void (payload.runId === runId && seen.push(payload)));
    await bus.connection.request(`run.v1.${runId}.step-started`, JSON.stringify({ runId, step: 'train', attempt: 1, mood: 'good' }));
    await eventually(() => expect(seen).toEqual([{ runId, step: 'train', attempt: 1 }]));
    await subscription.drain();
  });

  it('renews the lease of long work, so that nobody else gets it', async () => {
    const runId = fresh('run');
    const durable = fresh('steps');
    const deliveries: number[] = [];
    const options = { durable, leaseRenewMs: 100, ackWaitMs: 400 };
    let finish = (): void => undefined;
    const work = new Promise<void>((resolve) => (finish = resolve));
    const first = await consumeSteps(
      bus,
      async (payload, context) => {
        if (payload.runId !== runId) return;
        deliveries.push(context.deliveries);
        await work;
      },
      options,
    );
    const second = await consumeSteps(
      await fixture.connect('consumer'),
      (payload, context) => void (payload.runId === runId && deliveries.push(context.deliveries)),
      options,
    );
    await publishSteps(bus, runId, 1);
    await eventually(() => expect(deliveries).toEqual([1]));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(deliveries).toEqual([1]);
    finish();
    await eventually(async () => expect(await pendingOf('LOOP', durable)).toBe(0));
    await Promise.all([first.drain(), second.drain()]);
  });

  it('takes the lease from a handler that hangs, and aborts its signal', async () => {
    const runId = fresh('run');
    const deliveries: number[] = [];
    let aborted = 0;
    const subscription = await consumeSteps(
      bus,
      (payload, context) => {
        if (payload.runId !== runId) return undefined;
        deliveries.push(context.deliveries);
        if (context.deliveries > 1) return undefined;
        return new Promise((_resolve, reject) =>
          context.signal.addEventListener('abort', () => {
            aborted++;
            reject(new Error('gave up'));
          }),
        );
      },
      { leaseRenewMs: 100, ackWaitMs: 400, leaseMaxMs: 300 },
    );
    await publishSteps(bus, runId, 1);
    await eventually(() => expect(deliveries).toEqual([1, 2]));
    expect(aborted).toBe(1);
    await subscription.drain();
  });
});

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
    await eventually(async () => expect(await pendingOf('LOOP', durable)).toBe(0));
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
    await eventually(async () => expect(await pendingOf('LOOP', durable)).toBe(1));
    await first.drain();
    expect(aborted).toBe(true);
    const again: number[] = [];
    const second = await consumeSteps(bus, (payload, context) => void (payload.runId === runId && again.push(context.deliveries)), {
      durable,
    });
    await eventually(() => expect(again).toEqual([2]));
    expect(await lettersOf(durable)).toEqual([]);
    await second.drain();
  });
});

describe('redrive', () => {
  it('hands a letter to the consumer that failed, to nobody else, as the message it was', async () => {
    const runId = fresh('run');
    const durable = fresh('steps');
    let broken = true;
    const mended: { attempt: number; id: string; deliveries: number; stream: string | undefined }[] = [];
    const others: number[] = [];
    const failing = await consumeSteps(
      bus,
      (payload, context) => {
        if (payload.runId !== runId) return;
        if (broken) throw new PermanentError('bug');
        mended.push({ attempt: payload.attempt, id: context.id, deliveries: context.deliveries, stream: context.stream });
      },
      { durable },
    );
    const healthy = await consumeSteps(bus, (payload) => void (payload.runId === runId && others.push(payload.attempt)));
    await publishSteps(bus, runId, 2);
    await eventually(async () => expect(await lettersOf(durable)).toHaveLength(2));
    broken = false;
    const report = await redrive(bus, { service: 'consumer', limit: 1_000 });
    expect(report.failed).toEqual([]);
    await eventually(() =>
      expect(mended).toEqual([
        { attempt: 1, id: `${runId}.1`, deliveries: 1, stream: 'LOOP' },
        { attempt: 2, id: `${runId}.2`, deliveries: 1, stream: 'LOOP' },
      ]),
    );
    expect(await lettersOf(durable)).toEqual([]);
    expect(others).toEqual([1, 2]);
    await Promise.all([failing.drain(), healthy.drain()]);
  });

  it('redrives from a ledger, which would refuse the original for ever', async () => {
    const taskId = fresh('task');
    const durable = fresh('labels');
    let broken = true;
    const seen: string[] = [];
    const subscription = await bus.consume({
      durable,
      stream: 'LABELS',
      handlers: [
        handled(TaskAnswered, (payload) => {
          if (broken) throw new PermanentError('bug');
          seen.push(payload.taskId);
        }),
      ],
    });
    const payload = { taskId, nodeId: 'n1', sampleId: 'a'.repeat(64), outcome: 'skipped' as const, boxes: [], annotator: 'ann' };
    await bus.publish(
      TaskAnswered,
      { ...payload, labelDigest: `sha256:${'b'.repeat(64)}`, answeredAt: '2026-01-01T00:00:00.000Z' },
      { id: taskId },
    );
    await eventually(async () => expect(await lettersOf(durable)).toHaveLength(1));
    broken = false;
    expect(await redrive(bus, { service: 'consumer', limit: 10 })).toMatchObject({ redriven: 1 });
    await eventually(() => expect(seen).toEqual([taskId]));
    await subscription.drain();
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

import type { Bus } from '@edgeloop/bus';
import { eventually } from '@edgeloop/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { busFixture, type BusFixture, consumeSteps, fresh, lettersOf, pendingOf, PermanentError, publishSteps } from './bus-fixture.ts';

let fixture: BusFixture;
let bus: Bus;
beforeAll(async () => {
  fixture = await busFixture();
  bus = await fixture.connect('consumer');
});
afterAll(() => fixture.stop());

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
    await eventually(async () => expect(await pendingOf(bus, 'LOOP', durable)).toBe(0));
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
      const letters = await lettersOf(bus, durable);
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
    await eventually(async () => expect(await pendingOf(bus, 'LOOP', durable)).toBe(0));
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
    await eventually(async () => expect((await lettersOf(bus, durable)).map((letter) => letter.reason)).toEqual(['no such thing']));
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
      expect((await lettersOf(bus, durable)).map((letter) => letter.reason)).toEqual([expect.stringMatching(reason)]),
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
    await eventually(async () => expect(await pendingOf(bus, 'LOOP', durable)).toBe(0));
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

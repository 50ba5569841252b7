import { redrive, type Bus } from '@edgeloop/bus';
import { TaskAnswered } from '@edgeloop/contracts';
import { eventually } from '@edgeloop/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { busFixture, type BusFixture, consumeSteps, fresh, handled, lettersOf, PermanentError, publishSteps } from './bus-fixture.ts';

let fixture: BusFixture;
let bus: Bus;
beforeAll(async () => {
  fixture = await busFixture();
  bus = await fixture.connect('consumer');
});
afterAll(() => fixture.stop());

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
    await eventually(async () => expect(await lettersOf(bus, durable)).toHaveLength(2));
    broken = false;
    const report = await redrive(bus, { service: 'consumer', limit: 1_000 });
    expect(report.failed).toEqual([]);
    await eventually(() =>
      expect(mended).toEqual([
        { attempt: 1, id: `${runId}.1`, deliveries: 1, stream: 'LOOP' },
        { attempt: 2, id: `${runId}.2`, deliveries: 1, stream: 'LOOP' },
      ]),
    );
    expect(await lettersOf(bus, durable)).toEqual([]);
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
    await eventually(async () => expect(await lettersOf(bus, durable)).toHaveLength(1));
    broken = false;
    expect(await redrive(bus, { service: 'consumer', limit: 10 })).toMatchObject({ redriven: 1 });
    await eventually(() => expect(seen).toEqual([taskId]));
    await subscription.drain();
  });
});

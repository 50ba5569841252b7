import { InvalidMessageError, RevisionConflictError, WindowedPublisher, type Bus } from '@edgeloop/bus';
import {
  DatasetSnapshotted,
  NodeTelemetry,
  RunStepStarted,
  STATE_BUCKETS,
  STREAMS,
  TaskAnswered,
  type PayloadOf,
} from '@edgeloop/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { busFixture, type BusFixture, fresh, stepStarted } from './bus-fixture.ts';

let fixture: BusFixture;
let bus: Bus;
beforeAll(async () => {
  fixture = await busFixture();
  bus = await fixture.connect('publisher');
});
afterAll(() => fixture.stop());

function answered(taskId: string, annotator: string): PayloadOf<typeof TaskAnswered> {
  return {
    taskId,
    nodeId: 'n1',
    sampleId: 'a'.repeat(64),
    outcome: 'skipped',
    boxes: [],
    labelDigest: `sha256:${'b'.repeat(64)}`,
    annotator,
    answeredAt: '2026-01-01T00:00:00.000Z',
  };
}

function telemetry(nodeId: string): PayloadOf<typeof NodeTelemetry> {
  const window = {
    nodeId,
    epoch: 'epoch-0001',
    sequence: 1,
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-01-01T00:00:02.000Z',
    releaseId: null,
    modelDigest: null,
    frames: 10,
    emptyFrames: 1,
    framesPerSecond: 5,
    inferenceErrors: 0,
    latencyMs: { p50: 20, p95: 30 },
    brightness: { mean: 0.5, min: 0.4, max: 0.6 },
    sharpness: { mean: 10 },
    classes: [],
  };
  return { nodeId, windows: [window] };
}

describe('provision', () => {
  it('makes every declared stream and bucket, also when many programs start at once', async () => {
    const others = await Promise.all(['a', 'b', 'c'].map((name) => fixture.connect(name)));
    await Promise.all(others.map((other) => other.provision()));
    const manager = await jetstreamManager(bus.connection);
    const names = await manager.streams.names().next();
    expect(names.toSorted()).toEqual(
      [...STREAMS.map((stream) => stream.name), ...STATE_BUCKETS.map((bucket) => `KV_${bucket}`)].toSorted(),
    );
  });

  it('keeps ledgers from being deleted and never bounds a stream of many subjects by a count', async () => {
    const manager = await jetstreamManager(bus.connection);
    for (const stream of STREAMS) {
      const { config } = await manager.streams.info(stream.name);
      expect(config.max_msgs).toBe(-1);
      expect(config.discard_new_per_subject ?? false).toBe(stream.oncePerSubject);
      expect(config.deny_delete).toBe(stream.oncePerSubject);
      expect(config.persist_mode === 'async').toBe(stream.asyncPersistence === true);
    }
  });

  it('updates subjects, and keeps those that a newer program added', async () => {
    const manager = await jetstreamManager(bus.connection);
    const { config } = await manager.streams.info('NODES');
    await manager.streams.update('NODES', { ...config, subjects: ['node.v1.*.report', 'node.v1.*.from-the-future'] });
    await bus.provision();
    const { config: after } = await manager.streams.info('NODES');
    expect(after.subjects).toEqual(expect.arrayContaining(['node.v1.*.report', 'node.v1.*.manifest', 'node.v1.*.from-the-future']));
  });
});

describe('publish', () => {
  it('stores a fact once, however often it is published', async () => {
    const { id, payload } = stepStarted(fresh('run'), 1);
    const first = await bus.publish(RunStepStarted, payload, { id });
    const second = await bus.publish(RunStepStarted, payload, { id });
    expect(first).toMatchObject({ stream: 'LOOP', duplicate: false });
    expect(second).toEqual({ ...first, duplicate: true });
  });

  it('says "already there" with the place of the first when the ledger holds the subject, whatever the id', async () => {
    const taskId = fresh('task');
    const first = await bus.publish(TaskAnswered, answered(taskId, 'ann'), { id: `${taskId}.ann` });
    const second = await bus.publish(TaskAnswered, answered(taskId, 'ben'), { id: `${taskId}.ben` });
    expect(second).toEqual({ stream: 'LABELS', sequence: first.sequence, duplicate: true });
    expect((await bus.lastOf(TaskAnswered, { taskId }))?.payload.annotator).toBe('ann');
  });

  it('lets one of fifty at once win the ledger', async () => {
    const taskId = fresh('task');
    const receipts = await Promise.all(
      Array.from({ length: 50 }, (_, index) => bus.publish(TaskAnswered, answered(taskId, `p${index}`), { id: `${taskId}.${index}` })),
    );
    expect(receipts.filter((receipt) => !receipt.duplicate)).toHaveLength(1);
    expect(new Set(receipts.map((receipt) => receipt.sequence)).size).toBe(1);
  });

  it('refuses to write over what somebody else wrote first', async () => {
    const runId = fresh('run');
    const first = await bus.publish(RunStepStarted, { runId, step: 'a', attempt: 1 }, { id: `${runId}.1`, expectLastSubjectSequence: 0 });
    const stale = bus.publish(RunStepStarted, { runId, step: 'b', attempt: 1 }, { id: `${runId}.2`, expectLastSubjectSequence: 0 });
    await expect(stale).rejects.toThrow(RevisionConflictError);
    const next = await bus.publish(
      RunStepStarted,
      { runId, step: 'b', attempt: 1 },
      { id: `${runId}.2`, expectLastSubjectSequence: first.sequence },
    );
    expect(next.duplicate).toBe(false);
  });

  it('takes its own earlier write for success, not for a conflict', async () => {
    const runId = fresh('run');
    const once = { id: `${runId}.1`, expectLastSubjectSequence: 0 };
    const first = await bus.publish(RunStepStarted, { runId, step: 'a', attempt: 1 }, once);
    expect(await bus.publish(RunStepStarted, { runId, step: 'a', attempt: 1 }, once)).toEqual({ ...first, duplicate: true });
  });

  it.each([
    ['a broken field', { runId: 'r1', step: 'train', attempt: 0 }],
    ['a missing field', { runId: 'r1', attempt: 1 }],
    ['a field that nobody declared', { runId: 'r1', step: 'train', attempt: 1, secret: 'x' }],
  ])('sends nothing with %s', async (_what, payload) => {
    await expect(bus.publish(RunStepStarted, payload as never, { id: fresh('broken') })).rejects.toThrow(InvalidMessageError);
  });

  it('names a nested field that nobody declared', async () => {
    const payload = { ...telemetry('n1'), windows: [{ ...telemetry('n1').windows[0], password: 'x' }] };
    await expect(bus.publish(NodeTelemetry, payload as never, { id: fresh('broken') })).rejects.toThrow(/windows\.0\.password/);
  });
});

describe('the chain of causes', () => {
  it('inherits the correlation id and the trace, and names the message that caused it', async () => {
    const runId = fresh('run');
    await bus.publish(RunStepStarted, { runId, step: 'a', attempt: 1 }, { id: `${runId}.first` });
    const first = await bus.lastOf(RunStepStarted, { runId });
    await bus.publish(RunStepStarted, { runId, step: 'b', attempt: 1 }, { id: `${runId}.second`, cause: first?.context });
    const second = await bus.lastOf(RunStepStarted, { runId });
    expect(first?.context).toMatchObject({ id: `${runId}.first`, correlationId: `${runId}.first`, type: 'run.step-started.v1' });
    expect(second?.context).toMatchObject({ id: `${runId}.second`, correlationId: `${runId}.first`, causationId: `${runId}.first` });
    const trace = (given?: string): string | undefined => given?.split('-')[1];
    expect(trace(second?.context.traceparent)).toBe(trace(first?.context.traceparent));
    expect(second?.context.traceparent).not.toBe(first?.context.traceparent);
    expect(Date.parse(second?.context.sentAt ?? '')).toBeGreaterThan(0);
  });
});

describe('reading back', () => {
  it('gives nothing where nothing is', async () => {
    expect(await bus.lastOf(TaskAnswered, { taskId: fresh('task') })).toBeUndefined();
    const found: unknown[] = [];
    for await (const stored of bus.history('LOOP', { subject: 'dataset.v1.*.*' })) found.push(stored);
    expect(found).toEqual([]);
  });

  it('gives the history in order, filtered, and ends', async () => {
    const runId = fresh('run');
    for (let attempt = 1; attempt <= 3; attempt++)
      await bus.publish(RunStepStarted, stepStarted(runId, attempt).payload, { id: `${runId}.${attempt}` });
    const found: number[] = [];
    for await (const { contract, payload } of bus.history('LOOP', { subject: `run.v1.${runId}.*` })) {
      expect(contract).toBe(RunStepStarted);
      found.push((payload as PayloadOf<typeof RunStepStarted>).attempt);
    }
    expect(found).toEqual([1, 2, 3]);
    expect(DatasetSnapshotted.stream).toBe('LOOP');
  });
});

describe('the windowed publisher', () => {
  it('stores everything once, also what is sent twice', async () => {
    const nodeId = fresh('node');
    const publisher = new WindowedPublisher(bus.connection, { inFlightMax: 16 });
    for (let index = 0; index < 200; index++) await publisher.publish(NodeTelemetry, telemetry(nodeId), { id: `${nodeId}.${index % 150}` });
    await publisher.flush();
    publisher.close();
    let stored = 0;
    for await (const _ of bus.history('TELEMETRY', { subject: `node.v1.${nodeId}.telemetry` })) stored++;
    expect(stored).toBe(150);
  });

  it('tells which messages no stream stored', async () => {
    const manager = await jetstreamManager(bus.connection);
    const { config } = await manager.streams.info('TELEMETRY');
    await manager.streams.delete('TELEMETRY');
    const publisher = new WindowedPublisher(bus.connection, { ackTimeoutMs: 50, attemptsMax: 2 });
    await publisher.publish(NodeTelemetry, telemetry('n1'), { id: 'lost-1' });
    await expect(publisher.flush()).rejects.toThrow(/1 messages have no receipt/);
    publisher.close();
    await manager.streams.add(config);
  });
});

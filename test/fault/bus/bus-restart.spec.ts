import { type Bus, connectBus, connectNode, type Handled, type NodeBusStatus, WindowedPublisher } from '@edgeloop/bus';
import { NodeReport, type PayloadOf, RunStepStarted } from '@edgeloop/contracts';
import { createLogger } from '@edgeloop/runtime';
import { eventually, testEngines, type TestEngines } from '@edgeloop/testkit';
import { credsText, nodeUserJwt } from '@edgeloop/trust/node-user';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createUser } from '@nats-io/jwt';
import { z } from 'zod';

const SILENT = createLogger('test', 'silent');
const LONG = { deadlineMs: 60_000 };
const Counter = z.object({ count: z.int() });

let engines: TestEngines;
let bus: Bus;
let disconnects: number;
beforeEach(async () => {
  engines = await testEngines();
  const { NATS_URL: url = '', NATS_CREDS: path = '' } = engines.environment;
  bus = await connectBus({ service: 'survivor', url, creds: { path }, log: SILENT });
  await bus.provision();
  disconnects = 0;
  void countDisconnects(bus);
});
afterEach(async () => {
  await bus.drain();
  await engines.stop();
});

async function countDisconnects(watched: Bus): Promise<void> {
  for await (const status of watched.connection.status()) if (status.type === 'disconnect') disconnects++;
}

/** The server dies without a word and comes back on the same port with the same data. */
async function killAndRestart(): Promise<void> {
  await engines.engines.nats?.process.kill('SIGKILL');
  await engines.engines.nats?.process.restart();
}

function steps(handle: (payload: PayloadOf<typeof RunStepStarted>) => void): Handled[] {
  return [{ contract: RunStepStarted, handle: handle as Handled['handle'] }];
}

async function storedAttempts(runId: string): Promise<number[]> {
  const attempts: number[] = [];
  for await (const { payload } of bus.history('LOOP', { subject: `run.v1.${runId}.*` }))
    attempts.push((payload as PayloadOf<typeof RunStepStarted>).attempt);
  return attempts;
}

function report(sequence: number): PayloadOf<typeof NodeReport> {
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

describe('the server is killed and comes back on the same port', () => {
  it('publishers go on, nothing is lost, nothing is stored twice, every event is handled', async () => {
    const attempts = Array.from({ length: 120 }, (_, index) => index + 1);
    const seen = new Set<number>();
    const handlers = steps(({ attempt }) => void seen.add(attempt));
    const subscription = await bus.consume({ durable: 'survivor-LOOP', stream: 'LOOP', handlers });
    const half = Promise.withResolvers<void>();
    const publishing = (async () => {
      for (const attempt of attempts) {
        await bus.publish(RunStepStarted, { runId: 'r1', step: 'train', attempt }, { id: `r1.${attempt}` });
        if (attempt === 60) half.resolve();
      }
    })();
    await half.promise;
    await killAndRestart();
    await publishing;
    expect(disconnects).toBeGreaterThan(0);
    expect(await storedAttempts('r1')).toEqual(attempts);
    await eventually(() => expect(seen.size).toBe(attempts.length), LONG);
    await subscription.drain();
  });

  it('an idle consumer, a watch and a responder come back by themselves', async () => {
    const seen: number[] = [];
    const counts: (number | undefined)[] = [];
    const handlers = steps(({ attempt }) => void seen.push(attempt));
    const subscription = await bus.consume({ durable: 'survivor-LOOP', stream: 'LOOP', handlers });
    const counters = await bus.documents('runs', Counter);
    const first = await counters.save('a', { count: 1 }, {});
    await counters.watch((_key, document) => counts.push(document?.state.count));
    await killAndRestart();
    await counters.save('a', { count: 2 }, { revision: first.revision });
    await bus.publish(RunStepStarted, { runId: 'r1', step: 'train', attempt: 1 }, { id: 'r1.1' });
    await eventually(() => expect(seen).toEqual([1]), LONG);
    await eventually(() => expect(counts).toEqual([1, 2]), LONG);
    await subscription.drain();
  });

  it('updates of a document during the outage are neither lost nor doubled', async () => {
    const counters = await bus.documents('runs', Counter);
    const increments = Array.from({ length: 40 }, (_, index) => index);
    const half = Promise.withResolvers<void>();
    const updating = (async () => {
      for (const index of increments) {
        await counters.update('a', (current) => ({ state: { count: (current?.count ?? 0) + 1 } }));
        if (index === 20) half.resolve();
      }
    })();
    await half.promise;
    await killAndRestart();
    await updating.catch((cause: unknown) => expect(cause).toBeUndefined());
    expect((await counters.load('a'))?.state.count).toBe(increments.length);
  });

  it('a window of unacknowledged messages is sent again', async () => {
    const publisher = new WindowedPublisher(bus.connection, { ackTimeoutMs: 500, attemptsMax: 60 });
    const killed = (async () => {
      await eventually(() => expect(publisher.inFlight).toBeGreaterThan(0));
      await killAndRestart();
    })();
    for (let attempt = 1; attempt <= 3_000; attempt++)
      await publisher.publish(RunStepStarted, { runId: 'r1', step: 'train', attempt }, { id: `r1.${attempt}` });
    await killed;
    await publisher.flush();
    publisher.close();
    const stored = await storedAttempts('r1');
    expect(new Set(stored).size).toBe(3_000);
    expect(stored).toHaveLength(3_000);
  });

  it('a node notices, refuses at once meanwhile, and goes on afterwards', async () => {
    const key = createUser();
    const jwt = await nodeUserJwt({ nodeId: 'n1', publicKey: key.getPublicKey(), signingKey: await engines.signingKey() });
    const node = connectNode({
      url: engines.environment.NATS_URL ?? '',
      nodeId: 'n1',
      creds: { text: credsText(jwt, new TextDecoder().decode(key.getSeed())) },
    });
    const states: NodeBusStatus['state'][] = [];
    node.onStatus((status) => states.push(status.state));
    expect(await node.ready(10_000)).toBe(true);
    await node.publishFact(NodeReport, report(1), { id: 'n1.1' });
    await engines.engines.nats?.process.kill('SIGKILL');
    await eventually(() => expect(states).toEqual(['away', 'connected', 'away']));
    await expect(node.publishFact(NodeReport, report(2), { id: 'n1.2' })).rejects.toMatchObject({ name: 'BusAwayError' });
    await engines.engines.nats?.process.restart();
    await eventually(() => expect(node.status.state).toBe('connected'), LONG);
    await eventually(
      async () => expect(await node.publishFact(NodeReport, report(2), { id: 'n1.2' })).toMatchObject({ stream: 'NODES' }),
      LONG,
    );
    await node.close();
  });
});

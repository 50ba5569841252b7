import { connectBus, type Bus, type MessageContext, Refusal, WiringError } from '@edgeloop/bus';
import { AskCancelRun, AskSnapshot, type Contract, NodeBell, type PayloadOf, type ReplyOf, RunStepStarted } from '@edgeloop/contracts';
import { OnEvent, OnRequest, OnSignal, type RunningService, startService } from '@edgeloop/nest-bus';
import { createLogger } from '@edgeloop/runtime';
import { eventually, testEngines, type TestEngines } from '@edgeloop/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, type DynamicModule, Inject, type Type } from '@nestjs/common';
import { z } from 'zod';

const SEEN = Symbol('SEEN');

interface Seen {
  readonly steps: { attempt: number; deliveries: number; subject: string }[];
  readonly bells: string[];
  failures: number;
}

@Controller()
class ExampleController {
  constructor(@Inject(SEEN) private readonly seen: Seen) {}

  @OnEvent(RunStepStarted, { concurrency: 4 })
  step(payload: PayloadOf<typeof RunStepStarted>, context: MessageContext): void {
    if (this.seen.failures-- > 0) throw new Error('not now');
    this.seen.steps.push({ attempt: payload.attempt, deliveries: context.deliveries, subject: context.subject });
  }

  @OnSignal(NodeBell)
  bell(payload: PayloadOf<typeof NodeBell>): void {
    this.seen.bells.push(payload.nodeId);
  }

  @OnRequest(AskCancelRun)
  cancel(payload: PayloadOf<typeof AskCancelRun>): Promise<ReplyOf<typeof AskCancelRun>> {
    if (payload.runId === 'unknown') return Promise.reject(new Refusal('run-unknown', 'there is no run "unknown"'));
    return Promise.resolve({ cancelled: true });
  }
}

@Controller()
class DoubleController {
  @OnRequest(AskCancelRun)
  cancelToo(): ReplyOf<typeof AskCancelRun> {
    return { cancelled: false };
  }
}

class ExampleModule {}
const ALL: readonly Contract[] = [RunStepStarted, NodeBell, AskCancelRun];

let engines: TestEngines;
let bus: Bus;
let service: RunningService | undefined;
beforeAll(async () => {
  engines = await testEngines();
  const { NATS_URL: url = '', NATS_CREDS: path = '' } = engines.environment;
  bus = await connectBus({ service: 'asker', url, creds: { path }, log: createLogger('test', 'silent') });
});
afterEach(() => service?.stop());
afterAll(async () => {
  await bus.drain();
  await engines.stop();
});

async function start(
  options: { seen?: Seen; consumes?: readonly Contract[]; controllers?: Type[]; extra?: NodeJS.ProcessEnv } = {},
): Promise<RunningService> {
  const seen = options.seen ?? { steps: [], bells: [], failures: 0 };
  const module = (): DynamicModule => ({
    module: ExampleModule,
    controllers: options.controllers ?? [ExampleController],
    providers: [{ provide: SEEN, useFactory: () => seen }],
  });
  const environment = { ...engines.environment, LOG_LEVEL: 'error', ...options.extra };
  service = await startService({ name: 'example', consumes: options.consumes ?? ALL, module }, environment);
  return service;
}

describe('a service on the bus', () => {
  it('gets events, signals and questions in its controllers', async () => {
    const seen: Seen = { steps: [], bells: [], failures: 0 };
    await start({ seen });
    await bus.publish(RunStepStarted, { runId: 'r1', step: 'train', attempt: 1 }, { id: 'r1.1' });
    await eventually(() => expect(seen.steps).toEqual([{ attempt: 1, deliveries: 1, subject: 'run.v1.r1.step-started' }]));
    await eventually(() => {
      bus.signal(NodeBell, { nodeId: 'n1' });
      expect(seen.bells).toContain('n1');
    });
    expect(await bus.ask(AskCancelRun, { runId: 'r1' })).toEqual({ cancelled: true });
  });

  it('passes a refusal to the asker, word for word', async () => {
    await start();
    await expect(bus.ask(AskCancelRun, { runId: 'unknown' })).rejects.toMatchObject({
      name: 'AskRefusedError',
      code: 'run-unknown',
      message: 'there is no run "unknown"',
      retryable: false,
    });
  });

  it('lets a failure reach the settlement table: the event comes again', async () => {
    const seen: Seen = { steps: [], bells: [], failures: 1 };
    await start({ seen });
    await bus.publish(RunStepStarted, { runId: 'r2', step: 'train', attempt: 7 }, { id: 'r2.7' });
    await eventually(() => expect(seen.steps).toContainEqual({ attempt: 7, deliveries: 2, subject: 'run.v1.r2.step-started' }));
  });

  it('shares the work between replicas by one durable name for each stream', async () => {
    const seen: Seen = { steps: [], bells: [], failures: 0 };
    const first = await start({ seen });
    const second = await start({ seen });
    for (let attempt = 1; attempt <= 20; attempt++)
      await bus.publish(RunStepStarted, { runId: `shared${attempt}`, step: 'train', attempt }, { id: `shared.${attempt}` });
    await eventually(() => expect(seen.steps.filter((step) => step.subject.startsWith('run.v1.shared'))).toHaveLength(20));
    await first.stop();
    await second.stop();
  });
});

describe('a service whose wiring is wrong does not start', () => {
  it('names the contract that nobody handles', async () => {
    const failure = await start({ consumes: [...ALL, AskSnapshot] }).catch((cause: unknown) => cause);
    expect(failure).toBeInstanceOf(WiringError);
    expect((failure as Error).message).toContain('nobody handles ask.labeling-snapshot.v1: add a method with @OnRequest');
  });

  it('names the handler of a contract that it does not consume', async () => {
    await expect(start({ consumes: [RunStepStarted, NodeBell] })).rejects.toThrow(
      /ExampleController\.cancel handles ask\.trainer-cancel\.v1, which the service does not consume/,
    );
  });

  it('names both handlers of one contract', async () => {
    await expect(start({ controllers: [ExampleController, DoubleController] })).rejects.toThrow(
      /ExampleController\.cancel and DoubleController\.cancelToo handle ask\.trainer-cancel\.v1: keep one/,
    );
  });

  it('names every variable that is missing, its own and those of the bus', async () => {
    const module = (): DynamicModule => ({ module: ExampleModule });
    const config = z.object({ EXAMPLE_LIMIT: z.coerce.number() });
    const failure = await startService({ name: 'example', config, consumes: [], module }, {}).catch((cause: unknown) => cause);
    expect((failure as Error).message).toMatch(/NATS_URL/);
    expect((failure as Error).message).toMatch(/EXAMPLE_LIMIT/);
  });
});

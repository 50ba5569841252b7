import { connectBus, type Bus, type ConsumeOptions, type Handled, type MessageContext, type Subscription } from '@edgeloop/bus';
import { type DeadLetter, type EventContract, type PayloadOf, RunStepStarted } from '@edgeloop/contracts';
import { testEngines, type TestEngines } from '@edgeloop/testkit';
import { createLogger } from '@edgeloop/runtime';
import { jetstreamManager } from '@nats-io/jetstream';

export interface BusFixture {
  readonly engines: TestEngines;
  /** Another program on the same server; drained by `stop`. */
  connect(service: string): Promise<Bus>;
  stop(): Promise<void>;
}

export const SILENT = createLogger('test', 'silent');

export async function busFixture(): Promise<BusFixture> {
  const engines = await testEngines();
  const opened: Bus[] = [];
  const connect = async (service: string): Promise<Bus> => {
    const { NATS_URL: url = '', NATS_CREDS: path = '' } = engines.environment;
    const bus = await connectBus({ service, url, creds: { path }, log: SILENT });
    opened.push(bus);
    return bus;
  };
  await (await connect('provisioner')).provision();
  return {
    engines,
    connect,
    stop: async () => {
      await Promise.all(opened.map((bus) => bus.drain()));
      await engines.stop();
    },
  };
}

export function handled<C extends EventContract>(
  contract: C,
  handle: (payload: PayloadOf<C>, context: MessageContext) => Promise<void> | void,
): Handled {
  return { contract, handle: handle as Handled['handle'] };
}

let serial = 0;
/** A name that no other test of the suite uses. */
export function fresh(name: string): string {
  return `${name}-${++serial}`;
}

/** One small event of the LOOP stream; `runId` is its order key. */
export function stepStarted(runId: string, attempt: number): { id: string; payload: PayloadOf<typeof RunStepStarted> } {
  return { id: `${runId}.${attempt}`, payload: { runId, step: 'train', attempt } };
}

export async function publishSteps(bus: Bus, runId: string, count: number): Promise<void> {
  for (let attempt = 1; attempt <= count; attempt++) {
    const { id, payload } = stepStarted(runId, attempt);
    await bus.publish(RunStepStarted, payload, { id });
  }
}

export function consumeSteps(
  bus: Bus,
  handle: (payload: PayloadOf<typeof RunStepStarted>, context: MessageContext) => Promise<void> | void,
  options: Partial<ConsumeOptions> = {},
): Promise<Subscription> {
  return bus.consume({
    durable: fresh('steps'),
    stream: 'LOOP',
    handlers: [handled(RunStepStarted, handle)],
    startFrom: 'new',
    ...options,
  });
}

/** What no other try can mend. */
export class PermanentError extends Error {
  readonly retryable = false;
}

/** Dead letters of one consumer. */
export async function lettersOf(bus: Bus, durable: string): Promise<PayloadOf<typeof DeadLetter>[]> {
  const letters: PayloadOf<typeof DeadLetter>[] = [];
  for await (const { payload } of bus.history('DEAD', { subject: 'dead.v1.*.*' })) letters.push(payload as PayloadOf<typeof DeadLetter>);
  return letters.filter((letter) => letter.consumer === durable);
}

/** Messages that a consumer has not been given or not settled. */
export async function pendingOf(bus: Bus, stream: string, durable: string): Promise<number> {
  const { num_pending, num_ack_pending } = await (await jetstreamManager(bus.connection)).consumers.info(stream, durable);
  return num_pending + num_ack_pending;
}

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { connectBus } from '@edgeloop/bus';
import { type Contract, NodeHeartbeat, NodeReceipts, NodeTelemetry, subjectOf, typeId } from '@edgeloop/contracts';
import { createLogger } from '@edgeloop/runtime';
import { testEngines } from '@edgeloop/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, credsAuthenticator, headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { type BenchResult, spreadOf } from './bench-result.ts';
import { BARE, HEARTBEAT, NODE_ID, RECEIPTS, TELEMETRY } from './nest-messages.ts';
import type { Answer, Order, Side } from './nest-side.ts';
import { undisturbed } from './quiet.ts';

const ROUNDS = 9;
const SIGNALS_PER_ROUND = 120_000;
const EVENTS_PER_ROUND = 60_000;
const REQUESTS_PER_ROUND = 36_000;
const REQUESTS_IN_FLIGHT = 64;
/** The server must not call the receiver slow: so many messages between two round trips. */
const FLUSH_EVERY = 512;
const COMMAND = 'npm run bench -- nest';

interface Sides {
  readonly connection: NatsConnection;
  readonly children: Readonly<Record<Side, ChildProcess>>;
  readonly pids: readonly (number | undefined)[];
}

/** The Nest strategy (validation, order keys, settlement, controllers) against a bare subscription that only parses. */
export async function benchNest(): Promise<BenchResult[]> {
  const engines = await testEngines();
  const { NATS_URL: url = '', NATS_CREDS: creds = '' } = engines.environment;
  const connection = await connect({ servers: url, authenticator: credsAuthenticator(readFileSync(creds)), noAsyncTraces: true });
  await prepareStreams(connection, url, creds);
  const children = { bare: await child('bare', url, creds), strategy: await child('strategy', url, creds) };
  const sides: Sides = { connection, children, pids: [children.bare.pid, children.strategy.pid, engines.engines.nats?.process.pid] };
  try {
    return [
      await compare(sides, 'Nest strategy, signals per second against a bare subscription + JSON.parse', '>= 0.70', signalsPerSecond),
      await compare(
        sides,
        'Nest strategy, stored events per second against a bare consumer + JSON.parse + ack',
        '>= 0.70',
        eventsPerSecond,
      ),
      await compare(sides, 'Nest strategy, requests per second against a bare subscription + JSON.parse', '>= 0.90', requestsPerSecond),
    ];
  } finally {
    for (const one of Object.values(children)) one.disconnect();
    await connection.close();
    await engines.stop();
  }
}

async function compare(
  sides: Sides,
  name: string,
  bar: string,
  measure: (sides: Sides, side: Side) => Promise<number>,
): Promise<BenchResult> {
  const ratios: number[] = [];
  const rates: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const [ratio, rate] = await undisturbed(async () => {
      // Whoever goes second finds warmer caches: take turns.
      const order: readonly Side[] = round % 2 === 0 ? ['bare', 'strategy'] : ['strategy', 'bare'];
      const measured: Partial<Record<Side, number>> = {};
      for (const side of order) measured[side] = await measure(sides, side);
      return [(measured.strategy ?? 0) / (measured.bare ?? 1), measured.strategy ?? 0] as const;
    }, sides.pids);
    // The first round warms both sides up.
    if (round > 0) ratios.push(ratio);
    if (round > 0) rates.push(rate);
  }
  return { name, ratio: spreadOf(ratios), value: { ...spreadOf(rates), unit: 'per second' }, bar, command: COMMAND };
}

async function signalsPerSecond(sides: Sides, side: Side): Promise<number> {
  return handledPerSecond(sides, { side, count: SIGNALS_PER_ROUND, message: messageOf(NodeHeartbeat, HEARTBEAT, side) });
}

async function eventsPerSecond(sides: Sides, side: Side): Promise<number> {
  return handledPerSecond(sides, { side, count: EVENTS_PER_ROUND, message: messageOf(NodeTelemetry, TELEMETRY, side) });
}

interface Message {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs;
}

/** Both sides get the same bytes and the same headers as the bus sends them. */
function messageOf(contract: Contract, payload: unknown, side: Side): Message {
  const sent = headers();
  const values = {
    'Nats-Msg-Id': '',
    'Edgeloop-Type': typeId(contract),
    'Edgeloop-Correlation-Id': 'run-42',
    'Edgeloop-Causation-Id': 'run-41',
  };
  const traced = { 'Edgeloop-Sent-At': '2026-01-01T00:00:00.000Z', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
  for (const [key, value] of Object.entries({ ...values, ...traced })) if (value !== '') sent.set(key, value);
  const subject = subjectOf(contract, payload);
  return {
    subject: side === 'bare' ? subject.replace(/^\w+/, 'bare') : subject,
    data: new TextEncoder().encode(JSON.stringify(payload)),
    headers: sent,
  };
}

async function handledPerSecond(sides: Sides, round: { side: Side; count: number; message: Message }): Promise<number> {
  const one = sides.children[round.side];
  one.send({ count: round.count } satisfies Order);
  // Messages that overtake the order would not be counted.
  await once(one, 'message');
  const done = once(one, 'message') as Promise<[{ perSecond: number }]>;
  const { subject, data, headers: sent } = round.message;
  for (let index = 0; index < round.count; index++) {
    sides.connection.publish(subject, data, { headers: sent });
    if (index % FLUSH_EVERY === FLUSH_EVERY - 1) await sides.connection.flush();
  }
  await sides.connection.flush();
  const [{ perSecond }] = await done;
  return perSecond;
}

async function requestsPerSecond(sides: Sides, side: Side): Promise<number> {
  const { subject, data, headers: sent } = messageOf(NodeReceipts, RECEIPTS, side);
  let left = REQUESTS_PER_ROUND;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: REQUESTS_IN_FLIGHT }, async () => {
      while (left-- > 0) await sides.connection.request(subject, data, { timeout: 30_000, headers: sent });
    }),
  );
  return REQUESTS_PER_ROUND / ((performance.now() - startedAt) / 1_000);
}

/** The reference's stream has the configuration of the strategy's. */
async function prepareStreams(connection: NatsConnection, url: string, creds: string): Promise<void> {
  const bus = await connectBus({ service: 'bench', url, creds: { path: creds }, log: createLogger('bench', 'error') });
  await bus.provision();
  await bus.drain();
  const manager = await jetstreamManager(connection);
  const { config } = await manager.streams.info('TELEMETRY');
  await manager.streams.add({ ...config, name: BARE.stream, subjects: [BARE.event] });
}

async function child(side: Side, url: string, creds: string): Promise<ChildProcess> {
  const made = fork(fileURLToPath(new URL('./nest-side.js', import.meta.url)), [side, url, creds]);
  const [answer] = (await once(made, 'message')) as [Answer];
  if (!('ready' in answer)) throw new Error(`the ${side} side of the benchmark did not start for ${NODE_ID}`);
  return made;
}

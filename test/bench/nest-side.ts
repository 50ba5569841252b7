import 'reflect-metadata';
import { performance } from 'node:perf_hooks';
import { connectBus } from '@edgeloop/bus';
import { NodeHeartbeat, NodeReceipts, NodeTelemetry, type PayloadOf, type ReplyOf } from '@edgeloop/contracts';
import { JetStreamStrategy, OnEvent, OnRequest, OnSignal, RethrowFilter } from '@edgeloop/nest-bus';
import { createLogger } from '@edgeloop/runtime';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { readFileSync } from 'node:fs';
import { BARE, RECEIPTS_REPLY } from './nest-messages.ts';

/** One side of the benchmark, a process of its own: counts what it handles and says how fast it was. */
export type Side = 'bare' | 'strategy';
export type Order = { readonly count: number };
export type Answer = { readonly ready: true } | { readonly perSecond: number };

/** Unsettled messages that the stream hands out at once, on both sides. */
const ACK_PENDING = 1_000;
const EVENT_HANDLERS = 64;

class Counter {
  #wanted = 0;
  #seen = 0;
  #firstAt = 0;

  expect(count: number): void {
    this.#wanted = count;
    this.#seen = 0;
  }

  /** From the first handled to the last: what it takes to start is not measured. */
  count(): void {
    if (this.#seen === 0) this.#firstAt = performance.now();
    if (++this.#seen !== this.#wanted) return;
    const seconds = (performance.now() - this.#firstAt) / 1_000;
    process.send?.({ perSecond: (this.#wanted - 1) / seconds } satisfies Answer);
  }
}

const counter = new Counter();

@Controller()
class BenchController {
  @OnSignal(NodeHeartbeat)
  heartbeat(payload: PayloadOf<typeof NodeHeartbeat>): void {
    if (payload.sequence > 0) counter.count();
  }

  @OnEvent(NodeTelemetry, { concurrency: EVENT_HANDLERS })
  telemetry(payload: PayloadOf<typeof NodeTelemetry>): void {
    if (payload.windows.length > 0) counter.count();
  }

  @OnRequest(NodeReceipts)
  receipts(payload: PayloadOf<typeof NodeReceipts>): ReplyOf<typeof NodeReceipts> {
    return payload.sampleIds.length > 0 ? RECEIPTS_REPLY : { accepted: [], quarantined: [], unknown: [] };
  }
}

@Module({ controllers: [BenchController] })
class BenchModule {}

async function startStrategy(url: string, creds: string): Promise<void> {
  const bus = await connectBus({ service: 'bench', url, creds: { path: creds }, log: createLogger('bench', 'error') });
  const strategy = new JetStreamStrategy({ bus, consumes: [NodeHeartbeat, NodeTelemetry, NodeReceipts] });
  const app = await NestFactory.createMicroservice(BenchModule, { strategy, logger: false });
  app.useGlobalFilters(new RethrowFilter());
  await app.listen();
}

/** What nobody would go without: parse, and for stored events acknowledge. */
async function startBare(connection: NatsConnection): Promise<void> {
  connection.subscribe(BARE.signal, {
    callback: (_error, message) => {
      const payload = message.json<{ sequence: number }>();
      if (payload.sequence > 0) counter.count();
    },
  });
  connection.subscribe(BARE.request, {
    callback: (_error, message) => {
      const payload = message.json<{ sampleIds: string[] }>();
      message.respond(JSON.stringify(payload.sampleIds.length > 0 ? RECEIPTS_REPLY : {}));
    },
  });
  const manager = await jetstreamManager(connection);
  await manager.consumers.add(BARE.stream, { durable_name: 'bare', ack_policy: AckPolicy.Explicit, max_ack_pending: ACK_PENDING });
  const consumer = await jetstream(connection).consumers.get(BARE.stream, 'bare');
  await consumer.consume({
    max_messages: ACK_PENDING / 2,
    callback: (message) => {
      const payload = message.json<{ windows: unknown[] }>();
      if (payload.windows.length > 0) counter.count();
      message.ack();
    },
  });
}

const [side = 'bare', url = '', creds = ''] = process.argv.slice(2);
if (side === 'strategy') await startStrategy(url, creds);
else await startBare(await connect({ servers: url, authenticator: credsAuthenticator(readFileSync(creds)), noAsyncTraces: true }));
const ready = { ready: true } satisfies Answer;
process.on('message', ({ count }: Order) => {
  counter.expect(count);
  process.send?.(ready);
});
process.on('disconnect', () => process.exit(0));
process.send?.(ready);

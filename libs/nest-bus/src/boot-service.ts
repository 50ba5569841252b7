import 'reflect-metadata';
import { type Bus, connectBus, type Documents } from '@edgeloop/bus';
import type { Contract, StateBucket } from '@edgeloop/contracts';
import { BusConfig, createLogger, type Logger, type Program, readConfig, runProgram } from '@edgeloop/runtime';
import type { DynamicModule, INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { z } from 'zod';
import { BusModule } from './bus-module.ts';
import { JetStreamStrategy } from './jetstream-strategy.ts';
import { NestLogger } from './nest-logger.ts';
import { RethrowFilter } from './rethrow-filter.ts';

/** What a service's module is made from. */
export interface ServiceDeps<C = unknown> {
  readonly bus: Bus;
  readonly log: Logger;
  /** The service's own variables, checked. */
  readonly config: C;
  /** State documents whose outboxes are resumed at start, before anything is consumed. */
  readonly documents: <S>(bucket: StateBucket, schema: z.ZodType<S>) => Promise<Documents<S>>;
  /** Runs after the wiring was proven and outboxes were resumed, before anything is consumed: load read models, start clocks. */
  readonly onStart: (task: () => Promise<void> | void) => void;
  /** Runs after consumers were drained, in the reverse order of registration. */
  readonly onStop: (task: () => Promise<void> | void) => void;
}

export interface ServiceDefinition<S extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** Variables beside those of the bus. */
  readonly config?: S;
  /** Every message the service handles; a start proves that its controllers handle exactly these. */
  readonly consumes: readonly Contract[];
  readonly module: (deps: ServiceDeps<z.output<S>>) => DynamicModule | Promise<DynamicModule>;
}

/** Ties the configuration's type to the module's; for declaring a service in one place and starting it in two (program and tests). */
export function service<S extends z.ZodObject>(definition: ServiceDefinition<S>): ServiceDefinition<S> {
  return definition;
}

export interface RunningService extends Program {
  readonly bus: Bus;
  readonly app: INestMicroservice;
}

/** The whole `main.ts` of a service: configuration, bus, wiring, outboxes, consumers; drained on SIGTERM and SIGINT. */
export function bootService<S extends z.ZodObject>(definition: ServiceDefinition<S>): Promise<void> {
  return runProgram(definition.name, createLogger(definition.name), () => startService(definition));
}

/** A service without a process around it, for tests. */
export async function startService<S extends z.ZodObject>(
  definition: ServiceDefinition<S>,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<RunningService> {
  const config = readConfig(definition.name, BusConfig.extend(definition.config?.shape ?? {}), environment);
  const log = createLogger(definition.name, config.LOG_LEVEL as string);
  const creds = config.NATS_CREDS as string | undefined;
  const bus = await connectBus({
    service: definition.name,
    url: config.NATS_URL as string,
    log,
    ...(creds === undefined ? {} : { creds: { path: creds } }),
  });
  const life = new ServiceLife(bus);
  try {
    await bus.provision();
    return await assemble(definition, { bus, log, life, config: config as z.output<S> });
  } catch (cause) {
    await life.stop();
    throw cause;
  }
}

async function assemble<S extends z.ZodObject>(
  definition: ServiceDefinition<S>,
  parts: { bus: Bus; log: Logger; life: ServiceLife; config: z.output<S> },
): Promise<RunningService> {
  const { bus, log, life, config } = parts;
  const deps: ServiceDeps<z.output<S>> = {
    bus,
    log,
    config,
    documents: (bucket, schema) => life.documents(bucket, schema),
    onStart: (task) => life.starting.push(task),
    onStop: (task) => life.stopping.push(task),
  };
  const strategy = new JetStreamStrategy({ bus, consumes: definition.consumes });
  const root: DynamicModule = { module: ServiceRoot, imports: [BusModule.forService({ bus, log }), await definition.module(deps)] };
  const app = await NestFactory.createMicroservice(root, { strategy, logger: new NestLogger(log), abortOnError: false });
  life.app = app;
  life.strategy = strategy;
  app.useGlobalFilters(new RethrowFilter());
  await app.init();
  strategy.verify();
  await life.start(log);
  await app.listen();
  return { bus, app, stop: () => life.stop() };
}

class ServiceRoot {}

type Task = () => Promise<void> | void;

/** What has been started, so that it can be stopped in order: intake first, the connection last. */
class ServiceLife {
  readonly starting: Task[] = [];
  readonly stopping: Task[] = [];
  readonly #bus: Bus;
  readonly #outboxes: { readonly bucket: StateBucket; readonly documents: Documents<unknown> }[] = [];
  app: INestMicroservice | undefined;
  strategy: JetStreamStrategy | undefined;
  #stopped: Promise<void> | undefined;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  async documents<S>(bucket: StateBucket, schema: z.ZodType<S>): Promise<Documents<S>> {
    const documents = await this.#bus.documents(bucket, schema);
    this.#outboxes.push({ bucket, documents: documents as Documents<unknown> });
    return documents;
  }

  async start(log: Logger): Promise<void> {
    for (const { bucket, documents } of this.#outboxes) {
      const resumed = await documents.resume();
      if (resumed > 0) log.warn({ bucket, resumed }, 'published what a crash had left behind');
    }
    for (const task of this.starting) await task();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    await this.strategy?.close();
    for (const task of this.stopping.toReversed()) await task();
    await this.app?.close();
    await this.#bus.drain();
  }
}

export { BUS, BusModule, LOG } from './bus-module.ts';
export { bootService, type RunningService, service, type ServiceDefinition, type ServiceDeps, startService } from './boot-service.ts';
export { OnEvent, type OnEventOptions, OnRequest, OnSignal } from './decorators.ts';
export { JetStreamStrategy, type StrategyOptions } from './jetstream-strategy.ts';
export { NestLogger } from './nest-logger.ts';
export { RethrowFilter } from './rethrow-filter.ts';

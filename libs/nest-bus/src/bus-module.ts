import type { Bus } from '@edgeloop/bus';
import type { Logger } from '@edgeloop/runtime';
import type { DynamicModule } from '@nestjs/common';

/** Injection token of the service's `Bus`. */
export const BUS = Symbol('BUS');
/** Injection token of the service's `Logger`. */
export const LOG = Symbol('LOG');

/** Gives every module of the service its bus and log. */
export class BusModule {
  static forService(parts: { readonly bus: Bus; readonly log: Logger }): DynamicModule {
    return {
      module: BusModule,
      global: true,
      providers: [
        { provide: BUS, useFactory: () => parts.bus },
        { provide: LOG, useFactory: () => parts.log },
      ],
      exports: [BUS, LOG],
    };
  }
}

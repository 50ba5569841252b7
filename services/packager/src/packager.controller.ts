import type { MessageContext } from '@edgeloop/bus';
import { RunCompleted, type PayloadOf } from '@edgeloop/contracts';
import { OnEvent } from '@edgeloop/nest-bus';
import { Controller, Inject } from '@nestjs/common';
import { BuildPackage } from './app/build-package.ts';

/** One model at a time: a trial takes a core and much memory; more replicas package more. */
const MODELS_AT_ONCE = 1;

@Controller()
export class PackagerController {
  constructor(@Inject(BuildPackage) private readonly buildPackage: BuildPackage) {}

  @OnEvent(RunCompleted, { concurrency: MODELS_AT_ONCE })
  onRunCompleted(run: PayloadOf<typeof RunCompleted>, context: MessageContext): Promise<void> {
    return this.buildPackage.handle(run, context);
  }
}

import { join } from 'node:path';
import type { ServiceDeps } from '@edgeloop/nest-bus';
import { storeFromConfig } from '@edgeloop/store';
import type { DynamicModule } from '@nestjs/common';
import { ChildModelTrial } from './adapters/model-trial.ts';
import { sweepWorkFolder } from './adapters/work-folder.ts';
import { BuildPackage } from './app/build-package.ts';
import { PackageDocument } from './app/schemas.ts';
import type { PackagerConfig } from './config.ts';
import { PackagerController } from './packager.controller.ts';

export async function packagerModule(deps: ServiceDeps<PackagerConfig>): Promise<DynamicModule> {
  const { log, config } = deps;
  const records = await deps.documents('packages', PackageDocument);
  const trial = new ChildModelTrial({ timeMs: config.PACKAGER_TRIAL_TIMEOUT_MS, memoryBytes: config.PACKAGER_TRIAL_MEMORY_BYTES });
  const workFolder = join(config.EDGELOOP_DATA_DIR, 'packager');
  const parts = { store: storeFromConfig(config), records, trial, log, workFolder };
  deps.onStart(async () => await sweepWorkFolder(workFolder));
  return {
    module: PackagerModule,
    controllers: [PackagerController],
    providers: [{ provide: BuildPackage, useFactory: () => new BuildPackage(parts) }],
  };
}

export class PackagerModule {}

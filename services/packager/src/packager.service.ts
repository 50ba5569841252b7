import { RunCompleted } from '@edgeloop/contracts';
import { service } from '@edgeloop/nest-bus';
import { PackagerConfig } from './config.ts';
import { packagerModule } from './packager.module.ts';

export const packagerService = service({ name: 'packager', config: PackagerConfig, consumes: [RunCompleted], module: packagerModule });

import { bootService } from '@edgeloop/nest-bus';
import { packager } from './packager.module.ts';

await bootService(packager);

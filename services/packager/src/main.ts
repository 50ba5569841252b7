import { bootService } from '@edgeloop/nest-bus';
import { packagerService } from './packager.service.ts';

await bootService(packagerService);

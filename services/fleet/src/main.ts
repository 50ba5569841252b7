import { bootService } from '@edgeloop/nest-bus';
import { fleetService } from './fleet.module.ts';

await bootService(fleetService);

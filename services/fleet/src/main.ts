import { bootService } from '@edgeloop/nest-bus';
import { fleetService } from './fleet.service.ts';

await bootService(fleetService);

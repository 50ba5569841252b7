import { bootService } from '@edgeloop/nest-bus';
import { trainerService } from './service.ts';

await bootService(trainerService);

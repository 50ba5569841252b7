import { bootService } from '@edgeloop/nest-bus';
import { trainerService } from './trainer.service.ts';

await bootService(trainerService);

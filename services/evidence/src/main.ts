import { bootService } from '@edgeloop/nest-bus';
import { evidenceService } from './evidence.service.ts';

await bootService(evidenceService);

import { bootService } from '@edgeloop/nest-bus';
import { labelingService } from './labeling.service.ts';

await bootService(labelingService);

import { bootService } from '@edgeloop/nest-bus';
import { collectorService } from './collector.service.ts';

await bootService(collectorService);

import { bootService } from '@edgeloop/nest-bus';
import { COLLECTOR } from './collector.module.ts';

await bootService(COLLECTOR);

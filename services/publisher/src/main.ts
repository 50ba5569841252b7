import { bootService } from '@edgeloop/nest-bus';
import { publisher } from './publisher.module.ts';

await bootService(publisher);

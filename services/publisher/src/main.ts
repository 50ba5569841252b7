import { bootService } from '@edgeloop/nest-bus';
import { publisherService } from './publisher.service.ts';

await bootService(publisherService);

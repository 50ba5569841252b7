import { bootService } from '@edgeloop/nest-bus';
import { rolloutService } from './rollout.service.ts';

await bootService(rolloutService);

import { bootService } from '@edgeloop/nest-bus';
import { rolloutService } from './rollout.module.ts';

await bootService(rolloutService);

import { bootService } from '@edgeloop/nest-bus';
import { LABELING_BRIDGE } from './labeling.module.ts';

await bootService(LABELING_BRIDGE);

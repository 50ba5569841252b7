export { labelingService } from './labeling.service.ts';
export { LabelingConfig } from './config.ts';

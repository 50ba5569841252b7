export { LABELING_BRIDGE } from './labeling.module.ts';
export { LabelingConfig } from './config.ts';

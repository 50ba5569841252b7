export { COLLECTOR } from './collector.module.ts';
export { CollectorConfig } from './config.ts';

export { collectorService } from './collector.service.ts';
export { CollectorConfig } from './config.ts';

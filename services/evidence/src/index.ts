export { EvidenceConfig } from './config.ts';
export { evidenceService } from './evidence.service.ts';

import { AskField, NodeTelemetry } from '@edgeloop/contracts';
import { service } from '@edgeloop/nest-bus';
import { EvidenceConfig } from './config.ts';
import { evidenceModule } from './evidence.module.ts';

/** Field statistics per node and release, and the word when a node leaves its own baseline. */
export const evidenceService = service({
  name: 'evidence',
  config: EvidenceConfig,
  consumes: [NodeTelemetry, AskField],
  module: evidenceModule,
});

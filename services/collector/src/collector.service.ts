import {
  AskCampaigns,
  AskSamples,
  AskStartCampaign,
  NodeDrifted,
  NodeGrant,
  NodeManifest,
  NodeReceipts,
  NodeSettled,
} from '@edgeloop/contracts';
import { service } from '@edgeloop/nest-bus';
import { CollectorConfig } from './config.ts';
import { collectorModule } from './collector.module.ts';

export const collectorService = service({
  name: 'collector',
  config: CollectorConfig,
  consumes: [NodeManifest, NodeDrifted, NodeSettled, NodeGrant, NodeReceipts, AskSamples, AskCampaigns, AskStartCampaign],
  module: collectorModule,
});

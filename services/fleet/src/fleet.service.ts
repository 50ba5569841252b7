import {
  AskInvite,
  AskNodes,
  CampaignClosed,
  CampaignStarted,
  NodeEnroll,
  NodeHeartbeat,
  NodeReport,
  NodeSync,
  RolloutAssigned,
  RolloutEnded,
} from '@edgeloop/contracts';
import { service } from '@edgeloop/nest-bus';
import { FleetConfig } from './config.ts';
import { fleetModule } from './fleet.module.ts';

export const fleetService = service({
  name: 'fleet',
  config: FleetConfig,
  consumes: [
    RolloutAssigned,
    RolloutEnded,
    CampaignStarted,
    CampaignClosed,
    NodeReport,
    NodeHeartbeat,
    NodeEnroll,
    NodeSync,
    AskInvite,
    AskNodes,
  ],
  module: fleetModule,
});

import {
  AskRolloutCommand,
  AskRollouts,
  AskStartRollout,
  NodeHeartbeat,
  NodeReport,
  NodeTelemetry,
  ReleasePublished,
} from '@edgeloop/contracts';
import { service } from '@edgeloop/nest-bus';
import { RolloutConfig } from './config.ts';
import { rolloutModule } from './rollout.module.ts';

export const rolloutService = service({
  name: 'rollout',
  config: RolloutConfig,
  consumes: [ReleasePublished, NodeReport, NodeTelemetry, NodeHeartbeat, AskRollouts, AskStartRollout, AskRolloutCommand],
  module: rolloutModule,
});

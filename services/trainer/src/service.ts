import { AskCancelRun, AskRuns, AskStartRun, DatasetSnapshotted, ReleasePublished, RolloutEnded } from '@edgeloop/contracts';
import type { ServiceDefinition } from '@edgeloop/nest-bus';
import { TrainerConfig } from './config.ts';
import { TrainerModule } from './trainer.module.ts';

export const trainerService: ServiceDefinition<typeof TrainerConfig> = {
  name: 'trainer',
  config: TrainerConfig,
  consumes: [DatasetSnapshotted, ReleasePublished, RolloutEnded, AskStartRun, AskCancelRun, AskRuns],
  module: (deps) => TrainerModule.create(deps),
};
